// SPDX-License-Identifier: Apache-2.0

/// The four ways in which the kernel's MAC tables changed under the policies that use them, as the talk shows them.
public struct MACCase: Sendable {
  /// Two tables to be compared, and the slots that the slide shows.
  public struct Example: Sendable {
    /// The earlier release, as XNU calls it.
    public let before: String
    /// The later one.
    public let after: String
    /// The slots that the slide shows.
    public let slots: ClosedRange<Int>

    /// What a policy built for the earlier release meets on the later one; nil for a release that is not known.
    public var skew: MACSkew? {
      guard let built = MACTable.named(before), let running = MACTable.named(after) else {
        return nil
      }
      return MACSkew(built: built, running: running)
    }
  }

  /// The number on the slides.
  public let number: Int
  /// A name for the command line.
  public let name: String
  /// The heading of the slide.
  public let title: String
  /// What the slide compares.
  public let examples: [Example]

  /// The case of that number or name.
  public static func named(_ text: String) -> MACCase? {
    all.first { $0.name == text || String($0.number) == text }
  }

  /// All four, in order.
  public static let all: [MACCase] = [
    MACCase(
      number: 1, name: "deleted", title: "Interfaces were deleted or replaced directly",
      examples: [
        Example(before: "2782.40.9", after: "3247.1.106", slots: 319...322),
        Example(before: "3789.51.2", after: "4570.1.46", slots: 322...323),
      ]),
    MACCase(
      number: 2, name: "prototype",
      title: "Prototypes and input parameters were changed directly",
      examples: [Example(before: "3789.51.2", after: "4570.1.46", slots: 304...304)]),
    MACCase(
      number: 3, name: "insertion",
      title: "Interfaces were inserted into the middle of the dispatch table",
      examples: [Example(before: "1699.22.73", after: "2050.7.9", slots: 315...322)]),
    MACCase(
      number: 4, name: "same-number",
      title: "Interfaces have been rewritten but forgot to upgrade the policy version number",
      examples: [Example(before: "2050.7.9", after: "2050.24.15", slots: 320...325)]),
  ]
}
