// SPDX-License-Identifier: Apache-2.0

internal import BusPeers
internal import CBench
internal import KemonBus

/// What the rounds of the ring have in common: a ring for the workload's events, and threads on their cores.
struct RingRound {
  let workload: Workload
  let environment: Environment
  let ring: ByteRing
  /// Bytes of a record; 0 when they differ.
  let recordBytes: Int
  /// Whether the threads have kept to the protocol; threads only ever store false.
  let isRight: UnsafeMutablePointer<Bool>

  /// Makes a ring of as many places as the peers have.
  ///
  /// - Parameter stampsInside: a slot is as large as the elements of the peers, and its stamp is a part of it; else the
  ///   record alone is.
  init(_ workload: Workload, stampsInside: Bool = true, in environment: Environment) throws {
    self.workload = workload
    self.environment = environment
    let isMix = workload.size == Int(BUS_SIZE_MIX)
    let hasAnswers = workload.topology == .pingPongVerdict
    // The mix's slots hold what the peers' cells hold; larger records go to the arena.
    let header = hasAnswers ? 16 : 8
    recordBytes = isMix ? 0 : stampsInside ? workload.size - header : workload.size
    let bytes = isMix ? Int(BUS_CELL_BYTES) : recordBytes
    ring = try ByteRing(
      RingConfiguration(
        slots: Int(BUS_SLOTS), slotBytes: bytes + header, recordLimit: isMix ? 65_528 : bytes,
        producers: workload.producers == 1 ? .one : .many, hasAnswers: hasAnswers))
    isRight = .allocate(capacity: 1)
    isRight.initialize(to: true)
  }

  func deallocate() { isRight.deallocate() }

  /// Whether a role, producers before subscribers, is played on a core.
  func isPlayed(_ role: Int, on cpu: UInt32) -> Bool {
    environment.withLoad(workload) { load in
      withUnsafePointer(to: load) { bus_cpu($0, UInt32(role)) == Int32(cpu) }
    }
  }

  /// Runs a thread on every core that has a role, each with the number of its core; nanoseconds.
  func onCores<Round: AnyObject>(
    _ round: Round, _ work: @convention(c) (UnsafeMutableRawPointer?, UInt32) -> Void
  ) -> Double {
    withExtendedLifetime(round) {
      let context = Unmanaged.passUnretained(round).toOpaque()
      let roles = environment.withLoad(workload) { load in
        withUnsafePointer(to: load) { load in
          (0..<load.pointee.cpus).filter { bus_has_role(load, $0) }
            .map { bench_role(run: work, context: context, index: $0, cpu: Int32($0)) }
        }
      }
      return roles.withUnsafeBufferPointer { bench_team_run($0.baseAddress, $0.count) }
    }
  }

  /// Runs the roles of a round, producers first, each with its index; nanoseconds.
  func onThreads<Round: AnyObject>(
    _ round: Round, roles count: Int,
    _ role: @convention(c) (UnsafeMutableRawPointer?, UInt32) -> Void
  ) -> Double {
    withExtendedLifetime(round) {
      let context = Unmanaged.passUnretained(round).toOpaque()
      let roles = environment.withLoad(workload) { load in
        withUnsafePointer(to: load) { load in
          (0..<count).map { index in
            bench_role(
              run: role, context: context, index: UInt32(index), cpu: bus_cpu(load, UInt32(index)))
          }
        }
      }
      return roles.withUnsafeBufferPointer { bench_team_run($0.baseAddress, $0.count) }
    }
  }
}

/// The events of one producer, made in memory of its own, as the peers make theirs.
struct EventSource {
  let record: UnsafeMutablePointer<UInt64>
  private let sizes: UnsafeMutableBufferPointer<UInt16>
  private var turn = 0

  init(_ environment: Environment) {
    record = .allocate(capacity: 8192)
    record.initialize(repeating: 0x5a5a_5a5a_5a5a_5a5a, count: 8192)
    sizes = .allocate(capacity: environment.sizes.count)
    _ = sizes.initialize(from: environment.sizes)
  }

  func deallocate() {
    record.deallocate()
    sizes.deallocate()
  }

  /// The bytes of the next record of the mix.
  @inline(__always)
  mutating func nextSize() -> Int {
    let size = Int(sizes[turn])
    turn += 1
    if turn == sizes.count { turn = 0 }
    return size
  }
}

/// Checks what a subscriber sees of each producer: the order, and that nothing is missing or comes twice.
struct EventChecker {
  private let counts: UnsafeMutablePointer<UInt64>
  private let sums: UnsafeMutablePointer<UInt64>
  private var touched: UInt64 = 0
  /// Zero as long as every event was the next one of its producer.
  private var mismatch: UInt64 = 0

  init() {
    counts = .allocate(capacity: 16)
    counts.initialize(repeating: 0, count: 16)
    sums = .allocate(capacity: 16)
    sums.initialize(repeating: 0, count: 16)
  }

  func deallocate() {
    counts.deallocate()
    sums.deallocate()
  }

  /// Numbers carry the producer in their top bits.
  @inline(__always)
  static func number(_ producer: UInt32, _ event: UInt64) -> UInt64 {
    UInt64(producer) << 56 | event
  }

  /// Looks at the number, and at a word of every cache line.
  @inline(__always)
  mutating func see(_ bytes: UnsafeRawPointer, _ size: Int, firstTouch: Int) {
    let number = bytes.load(as: UInt64.self)
    let producer = Int(truncatingIfNeeded: number >> 56) & 15
    let event = number & (1 << 56 - 1)
    mismatch |= counts[producer] ^ event
    counts[producer] &+= 1
    sums[producer] &+= event
    var offset = firstTouch
    while offset < size {
      touched &+= bytes.load(fromByteOffset: offset, as: UInt64.self)
      offset &+= 64
    }
  }

  /// Whether each of the producers' events came once and in order.
  func isRight(producers: Int, share: UInt64) -> Bool {
    // The sum of what was touched is used, so that the compiler keeps the loads.
    mismatch == 0 && touched != 1
      && (0..<producers).allSatisfy { counts[$0] == share && sums[$0] == share * (share - 1) / 2 }
  }
}
