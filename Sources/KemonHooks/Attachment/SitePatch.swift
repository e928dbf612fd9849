// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform
  internal import Glibc

  /// What is written so that a function leads to its stub.
  struct SitePatch {
    let window: PatchWindow
    /// Where calls go.
    private(set) var target: UInt
    /// What stands at the window.
    private(set) var bytes: [UInt8] = []
    /// What stands in the cave.
    private var caveBytes: [UInt8] = []

    /// Writes the jumps.
    ///
    /// - Throws: ``HookError/Code-swift.enum/outOfReach`` when no jump reaches so far.
    init(_ window: PatchWindow, to target: UInt) throws(HookError) {
      self.window = window
      self.target = target
      switch window.patch {
      case .jump: bytes = try Stub.jump(from: window.start, to: target)
      case .shortJump(let cave):
        caveBytes = try Stub.jump(from: cave.address, to: target)
        let distance = Int(bitPattern: cave.address &- window.start &- 2)
        bytes = [0xEB, UInt8(bitPattern: Int8(distance))]
      case .trap: bytes = [0xCC]
      }
    }

    /// Lets breakpoints find their way, before the first is written.
    func prepare() throws(HookError) {
      guard window.patch == .trap else { return }
      let status = ckemon_trap_set(window.start, target)
      guard status == 0 else {
        throw HookError(
          .system, at: window.start, "no breakpoint: \(String(cString: strerror(-status)))")
      }
    }

    /// What changes when the hook comes.
    var coming: [CodeWrite] { writes { old, new in (old, new) } }

    /// What changes when it goes.
    var going: [CodeWrite] { writes { old, new in (new, old) } }

    private func writes(_ order: ([UInt8], [UInt8]) -> ([UInt8], [UInt8])) -> [CodeWrite] {
      let (old, new) = order(window.original, bytes)
      var writes = [CodeWrite(address: window.start, old: old, new: new)]
      if let cave = window.cave {
        let (old, new) = order(cave.original, caveBytes)
        writes.append(CodeWrite(address: cave.address, old: old, new: new))
      }
      return writes
    }

    /// A thread that has made the short jump and not the long one, when the hook goes.
    var movesWhenGoing: [ThreadMove] {
      window.cave.map { [ThreadMove(from: $0.address, to: target)] } ?? []
    }
  }
#endif
