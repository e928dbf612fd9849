// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// Looks for jumps into the bytes that a hook replaces.
  ///
  /// Reads the function, those around it, and where its jumps lead: the compiler may have moved unlikely parts of it
  /// elsewhere (`.cold`), which come back.
  struct BranchSearch {
    typealias Branch = BranchIndex.Branch

    let function: FunctionCode
    /// Branches to near the function's beginning or to near a call site, of all code that was read.
    private let branches: [Branch]
    /// Where the function could not be read any further.
    private let failure: HookError?

    /// How far behind its place a hook changes code at most.
    private static let span: UInt = 24

    /// Reads code.
    ///
    /// - Parameters:
    ///   - place: where a hook is to go.
    ///   - function: its code as it was before any hook, and where it stands.
    ///   - index: what has been read of the functions of its library.
    init(near place: UInt, of function: FunctionCode, in index: BranchIndex) {
      self.function = function
      let interesting = place..<(place &+ Self.span)
      var branches: [Branch] = []
      let own = index.reading(of: function.extent)
      failure = own?.failure
      if let own {
        branches += index.inner(of: own).lazy.filter { interesting.contains($0.target) }
      }
      func readOuter(of extent: FunctionExtent) {
        // What is next to a function need not be code: then nothing is known of it.
        guard let reading = index.reading(of: extent) else { return }
        for branch in index.outer(of: reading) where interesting.contains(branch.target) {
          branches.append(branch)
        }
        // Of a row that several functions share, also what stays in it.
        guard extent.range.contains(place), extent != function.extent else { return }
        for branch in index.inner(of: reading) where interesting.contains(branch.target) {
          branches.append(branch)
        }
      }
      var seen: [FunctionExtent] = []
      index.table(of: function.extent.start)?.neighbours(of: function.extent) { neighbour in
        seen.append(neighbour)
        readOuter(of: neighbour)
      }
      if let own {
        for branch in index.outer(of: own) {
          if interesting.contains(branch.target) {
            branches.append(branch)
          } else if !branch.isCall, !seen.contains(where: { $0.range.contains(branch.target) }),
            let part = index.function(at: branch.target)
          {
            seen.append(part)
            readOuter(of: part)
          }
        }
      }
      self.branches = branches
    }

    /// The first jump that leads to replaced bytes.
    ///
    /// - Parameters:
    ///   - patched: the bytes.
    ///   - isEntry: whether they are the beginning of the function. A jump of the function to its first instruction is
    ///     a loop then, which must not look like another call; from outside it is a call.
    ///   - excepted: code whose jumps do not count, or nil for what stands in the bytes themselves.
    func first(
      into patched: Range<UInt>, isEntry: Bool, except excepted: Range<UInt>? = nil
    ) throws(HookError) -> Branch? {
      if let failure { throw failure }
      return branches.first { found in
        guard patched.contains(found.target), !(excepted ?? patched).contains(found.place)
        else { return false }
        guard found.target == patched.lowerBound else { return true }
        return isEntry && !found.isCall && function.extent.range.contains(found.place)
          && found.place >= function.start
      }
    }

    /// Checks that an instruction of the function begins at a place.
    func requireBoundary(at place: UInt) throws(HookError) {
      if let failure { throw failure }
      var isBoundary = false
      let start = function.extent.start
      try function.decode(from: start) { bytes throws(HookError) in
        try Disassembler().walk(bytes, at: start) { offset, _, _ in
          isBoundary = start &+ UInt(offset) == place
          return start &+ UInt(offset) < place
        }
      }
      guard isBoundary else {
        throw HookError(
          .undecodable, at: place,
          "not the beginning of an instruction of the function at "
            + "0x\(String(function.start, radix: 16))")
      }
    }

    func refusal(of found: Branch, into patched: Range<UInt>) -> HookError {
      HookError(
        .branchIntoWindow, at: found.place,
        "leads to 0x\(String(found.target, radix: 16)), inside the "
          + "\(patched.count) bytes at 0x\(String(patched.lowerBound, radix: 16)) that the hook replaces"
      )
    }
  }
#endif
