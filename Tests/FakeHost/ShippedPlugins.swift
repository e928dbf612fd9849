// SPDX-License-Identifier: Apache-2.0

@_exported public import KemonPluginTesting
import KemonTestSupport

extension PluginLibrary {
  /// Loads a plugin that this package builds.
  public init(product: String) throws {
    try self.init(path: Products.plugin(product))
  }
}
