// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginHost

/// What this build calls itself.
enum HostVersion {
  static let number = PluginHost.version
  static let abi = "\(KEMON_ABI_MAJOR).\(KEMON_ABI_MINOR)"
  static let text = "kemon-host \(number) (plugin ABI \(abi))"
}
