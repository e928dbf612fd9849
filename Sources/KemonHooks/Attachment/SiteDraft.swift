// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// A transaction while its requests are read: what each site will be.
  struct SiteDraft {
    struct Item {
      let site: HookSite
      var entries: [HookSite.Entry]
      var hasRemovals = false
      /// The function that takes the place of the hooked one.
      var detour: UInt?
    }

    private(set) var items: [Item] = []
    private(set) var stops = false
    /// Where threads go on that are stopped on the way of hooks that go.
    private(set) var moves: [ThreadMove] = []
    let milliseconds: UInt32
    var change = SiteTable.Change()
    private var indices = AddressMap<Int>()
    /// Sites by the address that was asked for.
    private var sources = AddressMap<[HookSite]>()
    private var cachedMap: MemoryMap?
    /// What has been read of the code; one reading of each function serves all requests.
    private var cachedIndex: BranchIndex?
    /// The sites whose jumps stand in the code now.
    private let before: PatchedSites
    /// All sites whose jumps will stand in the code so far.
    private(set) var patched: PatchedSites

    init(milliseconds: UInt32, patched: PatchedSites) {
      self.milliseconds = milliseconds
      self.patched = patched
      before = patched
    }

    /// The entries that a site will have; nil when nothing was said of it.
    subscript(site: HookSite) -> [HookSite.Entry]? {
      indices[Self.key(of: site)].map { items[$0].entries }
    }

    func site(for purpose: Stub.Purpose, at address: UInt) -> HookSite? {
      sources[address]?.first { $0.isLike(purpose) }
    }

    /// The mappings; read once.
    mutating func map() throws(HookError) -> MemoryMap {
      if let cachedMap { return cachedMap }
      let map = try MemoryMap()
      cachedMap = map
      return map
    }

    /// Finds out where hooks go.
    mutating func planner() throws(HookError) -> SitePlanner {
      let index: BranchIndex
      if let cachedIndex {
        index = cachedIndex
      } else {
        index = BranchIndex(code: OriginalCode(map: try map(), patched: before))
        cachedIndex = index
      }
      return SitePlanner(index: index, patched: patched)
    }

    func mapForWrites(_ writes: [CodeWrite]) throws(HookError) -> MemoryMap {
      if let cachedMap { return cachedMap }
      // Pages far from each other are not joined without a map.
      return writes.count > 1 ? try MemoryMap() : MemoryMap(regions: [])
    }

    /// Code of a library that could not be kept loaded may be gone.
    func requireCode(_ write: CodeWrite) throws(HookError) {
      guard !FunctionExtent.isLoaded(write.address) else { return }
      let map: MemoryMap
      if let cachedMap { map = cachedMap } else { map = try MemoryMap() }
      try map.requireCode(write.address..<(write.address &+ UInt(write.old.count)))
    }

    mutating func use(_ site: HookSite, for address: UInt) {
      sources[address, default: []].append(site)
    }

    mutating func install(_ site: HookSite, for address: UInt, stops: Bool) {
      use(site, for: address)
      self.stops = self.stops || stops
      patched.insert(site)
    }

    mutating func add(_ entry: HookSite.Entry, to site: HookSite) {
      let index = index(of: site)
      let place =
        items[index].entries.firstIndex { $0.order > entry.order } ?? items[index].entries.endIndex
      items[index].entries.insert(entry, at: place)
    }

    mutating func replace(_ site: HookSite, with detour: UInt, id: UInt64) {
      let index = index(of: site)
      items[index].detour = detour
      items[index].entries = [HookSite.Entry(id: id, order: 0, handler: .init())]
    }

    mutating func remove(_ id: UInt64, from site: HookSite) {
      let index = index(of: site)
      items[index].entries.removeAll { $0.id == id }
      items[index].hasRemovals = true
      // Whoever is between two jumps must not meet what stood there before.
      let left = site.patch.movesWhenGoing
      guard items[index].entries.isEmpty, !left.isEmpty else { return }
      moves += left
      stops = true
    }

    private static func key(of site: HookSite) -> UInt { UInt(bitPattern: ObjectIdentifier(site)) }

    private mutating func index(of site: HookSite) -> Int {
      if let index = indices[Self.key(of: site)] { return index }
      indices[Self.key(of: site), default: items.count] = items.count
      items.append(Item(site: site, entries: site.entries))
      return items.count - 1
    }
  }
#endif
