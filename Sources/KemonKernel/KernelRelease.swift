// SPDX-License-Identifier: Apache-2.0

/// A macOS kernel that the model can be.
///
/// Kemon supported Darwin 15 to 19; so does the model.
public struct KernelRelease: Sendable, Hashable {
  /// What the compiler made of the call of a kext's start routine.
  public enum CallShape: String, Sendable, CaseIterable {
    /// `call *%rbx; mov %eax, %ebx; test %ebx, %ebx`.
    case rbx
    /// `call *-0x50(%rbp); mov %eax, %ebx; test %ebx, %ebx`.
    case rbp50
    /// `call *-0x38(%rbp); mov %eax, %r14d`.
    case rbp38
  }

  /// The name, as in `10.13.6`.
  public let name: String
  /// The major version of Darwin.
  public let darwinMajor: Int
  /// How OSKext::start calls start routines.
  public let callShape: CallShape
  /// Offset of the kmod_info pointer in an OSKext.
  public let kmodInfoOffset: UInt32
  /// Offset of the text pointer in an OSString.
  public let stringTextOffset: UInt32

  /// The function of the image that is OSKext::start in this release.
  var oskextStart: String {
    "OSKext_start_\(callShape.rawValue)_\(String(kmodInfoOffset, radix: 16))"
  }

  /// The release of the talk's logs.
  public static let macOS10_13_6 = KernelRelease(
    name: "10.13.6", darwinMajor: 17, callShape: .rbx, kmodInfoOffset: 0x48, stringTextOffset: 16)

  /// The releases, oldest first.
  ///
  /// Offsets are Kemon's own version table. Of the shapes two are known: the talk's log shows `ffd3` (a release kernel),
  /// its listing `ff55b0` (kernel.development). Which other kernel has which of Kemon's three patterns is not
  /// documented: they are spread over the table so that each is in use.
  public static let all: [KernelRelease] = [
    KernelRelease(
      name: "10.11.6", darwinMajor: 15, callShape: .rbx, kmodInfoOffset: 0x48, stringTextOffset: 24
    ),
    KernelRelease(
      name: "10.12.6", darwinMajor: 16, callShape: .rbp50, kmodInfoOffset: 0x48,
      stringTextOffset: 16),
    macOS10_13_6,
    KernelRelease(
      name: "10.13.6-development", darwinMajor: 17, callShape: .rbp50, kmodInfoOffset: 0x48,
      stringTextOffset: 16),
    KernelRelease(
      name: "10.14.6", darwinMajor: 18, callShape: .rbp38, kmodInfoOffset: 0x48,
      stringTextOffset: 16),
    KernelRelease(
      name: "10.15", darwinMajor: 19, callShape: .rbp38, kmodInfoOffset: 0x50, stringTextOffset: 16),
  ]

  /// The release of that name, if the model can be it.
  public static func named(_ name: String) -> KernelRelease? { all.first { $0.name == name } }
}
