// SPDX-License-Identifier: Apache-2.0

extension StepContext {
  /// The MAC framework; the boot is over when the first step asks for it.
  var bootedMAC: MACFramework {
    model.mac.finishBoot()
    return model.mac
  }
}
