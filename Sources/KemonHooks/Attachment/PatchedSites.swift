// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// The sites whose jumps stand in the code.
  struct PatchedSites {
    /// By address.
    private var sorted: [HookSite] = []
    /// Those that copy whole functions: few.
    private(set) var copies: [HookSite] = []

    mutating func insert(_ site: HookSite) {
      sorted.insert(site, at: index(endingAfter: site.address))
      if site.window.tier == .copy { copies.append(site) }
    }

    mutating func remove(_ site: HookSite) {
      sorted.removeAll { $0 === site }
      copies.removeAll { $0 === site }
    }

    /// Those whose jumps overlap a range.
    func sites(in range: Range<UInt>) -> ArraySlice<HookSite> {
      sorted[index(endingAfter: range.lowerBound)...].prefix { $0.address < range.upperBound }
    }

    /// The first site whose jump ends behind an address.
    private func index(endingAfter address: UInt) -> Int {
      var low = 0
      var high = sorted.count
      while low < high {
        let middle = (low + high) / 2
        if sorted[middle].window.patched.upperBound <= address {
          low = middle + 1
        } else {
          high = middle
        }
      }
      return low
    }
  }
#endif
