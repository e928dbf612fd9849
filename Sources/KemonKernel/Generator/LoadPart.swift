// SPDX-License-Identifier: Apache-2.0

/// What one family contributes to a generated load, on one thread.
///
/// A family adds a type and a row in ``LoadMix``. Threads share nothing but the kernel: each has files, kexts and sockets
/// of its own, so that what happens does not depend on who comes first.
protocol LoadPart {
  /// The family.
  static var name: String { get }
  /// How many of a thousand operations are its own.
  static var share: Int { get }

  /// Prepares one thread's part.
  ///
  /// - Parameter thread: from 0.
  /// - Returns: nil when the model cannot do it.
  init?(on model: KernelModel, thread: Int)

  /// Does one operation; an operation is what a program asks for, and raises an event or more.
  ///
  /// - Returns: whether it succeeded.
  mutating func perform(_ random: inout LoadRandom) -> Bool
}

/// The families of a generated load: one row each.
enum LoadMix {
  static var all: [any LoadPart.Type] {
    [
      FileLoad.self, NetworkLoad.self, ProcessLoad.self, DylibLoad.self, MACLoad.self,
      KextLoad.self,
    ]
  }
}
