// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// The bytes that hooks have taken, and the sites whose they are.
  struct PatchedSites {
    /// Some bytes of code that a site has changed.
    struct Claim {
      let range: Range<UInt>
      unowned(unsafe) let site: HookSite
      /// What stood there.
      var original: [UInt8] {
        site.address == range.lowerBound
          ? site.window.original : site.window.cave?.original ?? []
      }
    }

    /// By address. Sites are never freed, so that claims need not hold them.
    private var claims: [Claim] = []
    /// Those that copy whole functions: few.
    private(set) var copies: [HookSite] = []

    mutating func insert(_ site: HookSite) {
      for range in Self.ranges(of: site) {
        claims.insert(Claim(range: range, site: site), at: index(endingAfter: range.lowerBound))
      }
      if site.window.tier == .copy { copies.append(site) }
    }

    mutating func remove(_ site: HookSite) {
      for range in Self.ranges(of: site) {
        let place = index(endingAfter: range.lowerBound)
        if place < claims.count, claims[place].site === site { claims.remove(at: place) }
      }
      if site.window.tier == .copy { copies.removeAll { $0 === site } }
    }

    private static func ranges(of site: HookSite) -> [Range<UInt>] {
      [site.window.patched] + (site.window.cave.map { [$0.range] } ?? [])
    }

    /// Those that overlap a range.
    func claims(in range: Range<UInt>) -> ArraySlice<Claim> {
      claims[index(endingAfter: range.lowerBound)...].prefix {
        $0.range.lowerBound < range.upperBound
      }
    }

    /// The first claim that ends behind an address.
    private func index(endingAfter address: UInt) -> Int {
      var low = 0
      var high = claims.count
      while low < high {
        let middle = (low + high) / 2
        if claims[middle].range.upperBound <= address { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }
#endif
