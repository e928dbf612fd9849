// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform

  /// Every place that is or was hooked, and the memory of the stubs.
  struct SiteTable {
    /// By the place of the jump.
    private var sites = AddressMap<[HookSite]>()
    /// Those whose jump stands in the code, in ascending order.
    private var patched = PatchedSites()
    private var slabs: [CodeSlab] = []
    private var lastID: UInt64 = 0

    /// What is left to do when a transaction has been made.
    struct Change {
      var outcome = HookTransaction.Outcome()
      var departures: [Departure] = []
      /// Libraries that need not stay loaded: to be let go without the lock.
      var pins: [LibraryPin] = []
    }

    /// Handlers that were taken out and may still run.
    struct Departure {
      let site: HookSite
      let pointer: OpaquePointer
      let tables: [OpaquePointer]
    }

    func hook(at address: UInt) -> OpaquePointer? {
      sites[address]?.lazy.compactMap(\.pointer).first
    }

    /// Whether a call still uses handlers that were taken out.
    func isInUse(_ departure: Departure) -> Bool {
      departure.site.reap()
      return departure.site.retired.contains { departure.tables.contains($0) }
    }

    /// What hooks would do to functions.
    mutating func plans(
      _ functions: [(entry: UInt, options: HookOptions)]
    ) -> [Result<HookPlan, HookError>] {
      var draft = SiteDraft(milliseconds: 0, patched: patched)
      return functions.map { function in
        Result { () throws(HookError) in
          try plan(entry: function.entry, function.options, &draft)
        }
      }
    }

    private mutating func plan(
      entry: UInt, _ options: HookOptions, _ draft: inout SiteDraft
    ) throws(HookError) -> HookPlan {
      let map = try draft.map()
      let window = try draft.planner().entryWindow(at: entry, options)
      let slab = try slabIndex(near: window.start, for: window, map)
      let slot = slabs[slab].nextSlot
      let stub = try Stub(.entry(options.shape), for: window, slot: slot)
      let moved = stub.bytes[stub.moved..<(stub.moved + stub.movedSize)]
      let function =
        options.extent
        ?? UnsafeRawPointer(bitPattern: entry).flatMap(FunctionExtent.init(containing:))
        ?? FunctionExtent(range: entry..<window.end)
      return HookPlan(
        tier: window.tier, function: function, address: window.start, replaced: window.replaced,
        original: window.original, moved: Array(moved), movedAddress: slot &+ UInt(stub.moved),
        resume: window.end, needsStop: window.needsStop,
        needsQuiescence: window.returnsInside != nil, jumpTarget: window.jumpTarget)
    }

    // MARK: Transactions

    mutating func commit(
      _ transaction: HookTransaction, _ pins: LibraryPins
    ) throws(HookError) -> Change {
      var draft = SiteDraft(milliseconds: transaction.timeoutMilliseconds, patched: patched)
      for request in transaction.requests { try add(request, to: &draft, pins) }
      return try apply(draft)
    }

    private mutating func add(
      _ request: HookTransaction.Request, to draft: inout SiteDraft, _ pins: LibraryPins
    ) throws(HookError) {
      switch request {
      case .attach(let place, let address, let options, let handlers):
        let purpose: Stub.Purpose =
          place == .entry ? .entry(options.shape) : .callSite(options.shape)
        let site = try site(for: purpose, at: address, options, &draft, pins)
        guard !options.isExclusive || (draft[site] ?? site.entries).isEmpty else {
          throw HookError(
            .alreadyHooked, at: site.address, "a hook stands there, and this one wants to be alone")
        }
        lastID += 1
        let entry = HookSite.Entry(id: lastID, order: options.order, handler: handlers.handler)
        draft.add(entry, to: site)
        draft.change.outcome.hooks.append(
          Hook(address: site.address, replaced: site.window.replaced, id: lastID))
      case .replace(let address, let detour, let options, let original):
        let site = try site(for: .replacement, at: address, options, &draft, pins)
        guard !site.isPatched, draft[site] == nil else {
          throw HookError(
            .alreadyHooked, at: site.address, "another function already takes its place")
        }
        lastID += 1
        original?.pointee = site.original
        draft.replace(site, with: detour, id: lastID)
        draft.change.outcome.replacements.append(
          Replacement(address: site.address, original: site.original, id: lastID))
      case .detach(let hook):
        guard let site = site(with: hook.id, at: hook.address, draft) else { return }
        if let pointer = site.pointer, ckemon_hook_is_inside(pointer) != 0 {
          throw HookError(
            .insideHandler, at: hook.address,
            "this thread is in a call through the hook that it takes out")
        }
        draft.remove(hook.id, from: site)
      case .restore(let replacement):
        guard let site = site(with: replacement.id, at: replacement.address, draft) else { return }
        draft.remove(replacement.id, from: site)
      }
    }

    private func site(with id: UInt64, at address: UInt, _ draft: SiteDraft) -> HookSite? {
      sites[address]?.first { site in
        (draft[site] ?? site.entries).contains { $0.id == id }
      }
    }

    /// The sites of a function or call: the jump stands there, or behind a landing pad.
    private func sites(from address: UInt) -> [HookSite] {
      ((sites[address] ?? []) + (sites[address &+ 4] ?? [])).filter { $0.source == address }
    }

    /// The site for a request: one that is hooked, one of earlier, or a new one.
    private mutating func site(
      for purpose: Stub.Purpose, at address: UInt, _ options: HookOptions,
      _ draft: inout SiteDraft, _ pins: LibraryPins
    ) throws(HookError) -> HookSite {
      if let site = draft.site(for: purpose, at: address) { return site }
      let map = try draft.map()
      if let site = sites(from: address).first(where: { $0.isPatched && $0.isLike(purpose) }) {
        try map.requireCode(site.window.patched)
        let found = TextPatcher.read(site.window.patched)
        guard found == site.patch.bytes else {
          throw HookError(
            .changed, at: site.address, "\(found) stands there instead of the hook's jump")
        }
        draft.use(site, for: address)
        return site
      }
      let planner = try draft.planner()
      let window: PatchWindow
      if case .callSite = purpose {
        window = try planner.callSiteWindow(at: address, options)
      } else {
        window = try planner.entryWindow(at: address, options)
      }
      try Self.require(options.safety, of: window)
      let site = try site(for: purpose, window, map)
      site.source = address
      site.pin = pins.pin(at: address)
      draft.install(site, for: address, stops: options.safety == .live && window.needsStop)
      return site
    }

    /// Refuses what stopping the other threads does not make safe.
    private static func require(
      _ safety: PatchSafety, of window: PatchWindow
    ) throws(HookError) {
      guard safety == .live, let call = window.returnsInside else { return }
      throw HookError(
        .needsQuiescence, at: window.start,
        "a thread that is inside the call at 0x\(String(call.address, radix: 16)) would return to "
          + (window.tier == .copy ? "code that is left behind" : "the middle of the jump"))
    }

    private mutating func site(
      for purpose: Stub.Purpose, _ window: PatchWindow, _ map: MemoryMap
    ) throws(HookError) -> HookSite {
      if let old = sites[window.start]?.first(where: { $0.serves(purpose, window) }) {
        try setPurpose(purpose, of: old)
        return old
      }
      let slab = try slabIndex(near: window.start, for: window, map)
      let slot = slabs[slab].nextSlot
      var stub = try Stub(purpose, for: window, slot: slot)
      let patch = try SitePatch(window, to: slot &+ UInt(stub.entry))
      var pointer: OpaquePointer?
      if purpose != .replacement {
        var original: UInt?
        var resume: UInt?
        if case .entry = purpose { original = slot &+ UInt(Stub.originalOffset) }
        if case .callSite = purpose { resume = window.instructions[0].end }
        pointer = ckemon_hook_create(
          original.flatMap { UnsafeRawPointer(bitPattern: $0) },
          resume.flatMap { UnsafeRawPointer(bitPattern: $0) })
        guard let pointer else {
          throw HookError(.system, at: window.start, "no memory for a hook")
        }
        stub.setPointer(UInt(bitPattern: pointer))
      }
      slabs[slab].fill(stub.bytes)
      let site = HookSite(
        purpose: purpose, patch: patch, slot: slot, pointer: pointer, moves: stub.moves)
      sites[window.start, default: []].append(site)
      return site
    }

    /// Lets the stub of a site that is not hooked serve the next first hook, which may need more or less to be kept.
    private func setPurpose(_ purpose: Stub.Purpose, of site: HookSite) throws(HookError) {
      guard site.purpose != purpose, let thunk = try purpose.thunk(at: site.address) else { return }
      store(thunk, at: Stub.thunkOffset, of: site)
      site.purpose = purpose
    }

    private mutating func slabIndex(
      near address: UInt, for window: PatchWindow, _ map: MemoryMap
    ) throws(HookError) -> Int {
      let room = Stub.room(for: window)
      if let index = slabs.lastIndex(where: { $0.canServe(address, room) }) { return index }
      guard room <= CodeSlab.size else {
        throw HookError(.outOfReach, at: address, "\(room) bytes of moved code are too many")
      }
      slabs.append(try CodeSlab(near: address, in: map))
      return slabs.count - 1
    }

    /// Makes what was drafted.
    private mutating func apply(_ draft: SiteDraft) throws(HookError) -> Change {
      var change = draft.change
      var stopMoves = draft.moves
      var writes: [CodeWrite] = []
      do {
        for item in draft.items {
          let site = item.site
          if item.entries.isEmpty, site.isPatched {
            writes += site.patch.going
          } else if !item.entries.isEmpty, !site.isPatched {
            if let detour = item.detour { try setDetour(detour, of: site) }
            // Nobody comes by yet.
            try site.publish(item.entries)
            stopMoves += site.moves
            try site.patch.prepare()
            writes += site.patch.coming
          }
        }
        for write in writes { try draft.requireCode(write) }
        let rule: StopRule =
          draft.stops ? .stop(moves: stopMoves, milliseconds: draft.milliseconds) : .none
        let report = try TextPatcher.apply(writes, rule, in: try draft.mapForWrites(writes))
        change.outcome.stop = HookTransaction.StopReport(report)
      } catch {
        for item in draft.items where !item.site.isPatched { try item.site.publish([]) }
        throw error
      }
      for item in draft.items { try settle(item, &change) }
      return change
    }

    private mutating func settle(
      _ item: SiteDraft.Item, _ change: inout Change
    ) throws(HookError) {
      let site = item.site
      let wasPatched = site.isPatched
      site.isPatched = !item.entries.isEmpty
      if site.pointer == nil {
        site.entries = item.entries
      } else if wasPatched {
        try site.publish(item.entries)
        if item.hasRemovals, let pointer = site.pointer {
          change.departures.append(
            SiteTable.Departure(site: site, pointer: pointer, tables: site.retired))
        }
      }
      if !site.retired.isEmpty {
        ckemon_hook_barrier()
        site.reap()
      }
      guard wasPatched != site.isPatched else { return }
      if site.isPatched {
        patched.insert(site)
      } else {
        patched.remove(site)
        if let pin = site.pin { change.pins.append(pin) }
        site.pin = nil
      }
    }

    /// Lets a replacement's stub lead to a function, or spares it when that is near.
    private func setDetour(_ detour: UInt, of site: HookSite) throws(HookError) {
      if let patch = try? SitePatch(site.window, to: detour) {
        site.patch = patch
        return
      }
      site.patch = try SitePatch(site.window, to: site.slot &+ 16)
      store(detour, at: Stub.pointerOffset, of: site)
    }

    /// Changes an address in a stub.
    private func store(_ address: UInt, at offset: Int, of site: HookSite) {
      var word: [UInt8] = []
      word.append(littleEndian: address)
      slabs.first { $0.holds(site.slot) }?.store(word, at: site.slot &+ UInt(offset))
    }
  }

  extension HookTransaction.StopReport {
    init(_ report: ckemon_text_report) {
      self.init(
        threads: Int(report.threads), signalled: Int(report.signalled),
        asleep: Int(report.asleep), moved: Int(report.moved), pauseNanoseconds: report.pause_ns)
    }
  }
#endif
