// SPDX-License-Identifier: Apache-2.0

/// Looks for jumps into the bytes that a hook replaces.
///
/// Reads the function once, those around it, and where its jumps lead: the compiler may have moved unlikely parts of it
/// elsewhere (`.cold`), which come back.
struct BranchSearch {
  /// A jump and where it stands.
  struct Branch {
    let branch: RelativeBranch
    let place: UInt
  }

  let function: FunctionCode
  /// Branches to near the function's beginning or to near a call site, of all code that was read.
  private let branches: [Branch]
  /// Instructions of the function that begin near the place.
  private let boundaries: [UInt]
  /// Where the function could not be read any further.
  private let failure: HookError?

  /// Reads code.
  ///
  /// - Parameters:
  ///   - place: where a hook is to go.
  ///   - function: its code as it was before any hook, and where it stands.
  ///   - neighbours: other functions that may jump into this one.
  ///   - part: the code around an address that the function jumps to.
  init(
    near place: UInt, of function: FunctionCode, neighbours: [FunctionCode],
    part: (UInt) -> FunctionCode?
  ) {
    self.function = function
    let interesting = place..<(place &+ 24)
    var branches: [Branch] = []
    var boundaries: [UInt] = []
    var failure: HookError?
    var departures: Set<UInt> = []
    func read(_ code: FunctionCode, isOwn: Bool) {
      let base = code.extent.start
      do {
        try code.decode(from: base) { bytes throws(HookError) in
          try Disassembler().walk(bytes, at: base) { offset, form, bytes in
            let address = base &+ UInt(offset)
            if isOwn, interesting.contains(address) { boundaries.append(address) }
            if let branch = RelativeBranch(form, bytes, at: address) {
              if interesting.contains(branch.target) {
                branches.append(Branch(branch: branch, place: address))
              } else if isOwn, !branch.isCall, !code.extent.range.contains(branch.target) {
                departures.insert(branch.target)
              }
            }
            return true
          }
        }
      } catch {
        // What is next to a function need not be code: then nothing is known of it.
        if isOwn { failure = error }
      }
    }
    read(function, isOwn: true)
    for neighbour in neighbours { read(neighbour, isOwn: false) }
    var seen = neighbours.map(\.extent.range)
    for departure in departures where !seen.contains(where: { $0.contains(departure) }) {
      guard let part = part(departure) else { continue }
      seen.append(part.extent.range)
      read(part, isOwn: false)
    }
    self.branches = branches
    self.boundaries = boundaries
    self.failure = failure
  }

  /// The first jump that leads to replaced bytes.
  ///
  /// - Parameters:
  ///   - patched: the bytes.
  ///   - isEntry: whether they are the beginning of the function. A jump of the function to its first instruction is a
  ///     loop then, which must not look like another call; from outside it is a call.
  ///   - excepted: code whose jumps do not count, or nil for what stands in the bytes themselves.
  func first(
    into patched: Range<UInt>, isEntry: Bool, except excepted: Range<UInt>? = nil
  ) throws(HookError) -> Branch? {
    if let failure { throw failure }
    return branches.first { found in
      guard patched.contains(found.branch.target),
        !(excepted ?? patched).contains(found.place)
      else { return false }
      guard found.branch.target == patched.lowerBound else { return true }
      return isEntry && !found.branch.isCall && function.extent.range.contains(found.place)
        && found.place >= function.start
    }
  }

  /// Checks that an instruction of the function begins at a place.
  func requireBoundary(at place: UInt) throws(HookError) {
    if let failure { throw failure }
    guard boundaries.contains(place) else {
      throw HookError(
        .undecodable, at: place,
        "not the beginning of an instruction of the function at "
          + "0x\(String(function.start, radix: 16))")
    }
  }

  func refusal(of found: Branch, into patched: Range<UInt>) -> HookError {
    HookError(
      .branchIntoWindow, at: found.place,
      "leads to 0x\(String(found.branch.target, radix: 16)), inside the "
        + "\(patched.count) bytes at 0x\(String(patched.lowerBound, radix: 16)) that the hook replaces"
    )
  }
}
