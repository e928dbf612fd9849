// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// Where the branches of functions lead: every function is read once, however many hooks ask.
  ///
  /// Lives as long as a transaction: later a library may be gone.
  final class BranchIndex {
    /// A branch and where it stands.
    struct Branch {
      let place: UInt
      let target: UInt
      let isCall: Bool
    }

    /// What has been read of one function.
    struct Reading {
      fileprivate let extent: FunctionExtent
      /// Branches to the function itself.
      fileprivate let inner: Range<Int>
      /// Branches that leave it.
      fileprivate let outer: Range<Int>
      /// Whether nothing runs on behind its end.
      let endsFlow: Bool
      /// Where it could not be read any further.
      let failure: HookError?
    }

    let code: OriginalCode
    private var readings = AddressMap<[Reading]>()
    // Two arrays for all functions: nothing is allocated for each.
    private var inner: [Branch] = []
    private var outer: [Branch] = []
    private var lastTable: FunctionTable?

    init(code: OriginalCode) { self.code = code }

    /// The table of the object that holds an address.
    func table(of address: UInt) -> FunctionTable? {
      if let lastTable, lastTable.holds(address) { return lastTable }
      lastTable = FunctionTable(of: address)
      return lastTable
    }

    /// The function that holds an address, by the unwind information.
    func function(at address: UInt) -> FunctionExtent? {
      if let found = table(of: address)?.function(at: address) { return found }
      // Code without such a table may have registered its unwind information.
      return UnsafeRawPointer(bitPattern: address).flatMap(FunctionExtent.init(containing:))
    }

    /// The branches of a function to itself.
    func inner(of reading: Reading) -> ArraySlice<Branch> { inner[reading.inner] }

    /// The branches of a function that leave it.
    func outer(of reading: Reading) -> ArraySlice<Branch> { outer[reading.outer] }

    /// Reads a function; nil when it is no code that may be hooked.
    func reading(of extent: FunctionExtent) -> Reading? {
      if let known = readings[extent.start]?.first(where: { $0.extent == extent }) { return known }
      let reading = try? code.withBytes(of: extent) { bytes throws(HookError) in
        read(bytes, extent)
      }
      if let reading { readings[extent.start, default: []].append(reading) }
      return reading
    }

    private func read(_ bytes: UnsafeRawBufferPointer, _ extent: FunctionExtent) -> Reading {
      let firstInner = inner.count
      let firstOuter = outer.count
      let range = extent.range
      var endsFlow = false
      var failure: HookError?
      do throws(HookError) {
        try Disassembler().walk(bytes, at: extent.start) { offset, form, rest in
          endsFlow = form.endsFlow
          guard form.isRelativeBranch else { return true }
          let place = extent.start &+ UInt(offset)
          if let branch = RelativeBranch(form, rest, at: place) {
            let found = Branch(place: place, target: branch.target, isCall: branch.isCall)
            if range.contains(branch.target) { inner.append(found) } else { outer.append(found) }
          }
          return true
        }
      } catch {
        failure = error
      }
      return Reading(
        extent: extent, inner: firstInner..<inner.count, outer: firstOuter..<outer.count,
        endsFlow: endsFlow && failure == nil, failure: failure)
    }
  }
#endif
