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

    // By address. Sites are never freed, so that claims need not hold them.
    private var claims: [Claim] = []
    /// Those that copy whole functions: few.
    private(set) var copies: [HookSite] = []

    mutating func insert(_ site: HookSite) {
      insert(Claim(range: site.window.patched, site: site))
      if let cave = site.window.cave { insert(Claim(range: cave.range, site: site)) }
      if site.window.tier == .copy { copies.append(site) }
    }

    mutating func remove(_ site: HookSite) {
      remove(site, at: site.address)
      if let cave = site.window.cave { remove(site, at: cave.address) }
      if site.window.tier == .copy { copies.removeAll { $0 === site } }
    }

    private mutating func insert(_ claim: Claim) {
      claims.insert(claim, at: index(endingAfter: claim.range.lowerBound))
    }

    private mutating func remove(_ site: HookSite, at address: UInt) {
      let place = index(endingAfter: address)
      if place < claims.count, claims[place].site === site { claims.remove(at: place) }
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
