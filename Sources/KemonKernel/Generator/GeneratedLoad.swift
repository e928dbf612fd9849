// SPDX-License-Identifier: Apache-2.0

internal import KemonBus
internal import KemonPlatform

/// A load of random operations in a realistic mix: mostly files, some network, a few processes, kexts and policies.
///
/// What each thread does depends on the seed and on the number of threads alone, not on time or on other threads; what
/// plugins deny changes what happens afterwards.
public struct GeneratedLoad: Sendable {
  /// What the random numbers begin with.
  public let seed: UInt64
  /// How much happens.
  public let amount: Amount
  /// On how many threads.
  public let threads: Int

  /// How much happens in a load.
  public enum Amount: Sendable, Equatable {
    /// So many events at least: an operation is not left in the middle.
    case events(Int)
    /// So many operations.
    case operations(Int)
  }

  /// Describes a load.
  ///
  /// - Parameters:
  ///   - seed: the same seed makes the same load.
  ///   - amount: how much happens. A kernel without Kemon's hooks has hardly any events to be counted.
  ///   - threads: on how many threads, 1 or more; each does its share.
  public init(seed: UInt64, _ amount: Amount, threads: Int = 1) {
    precondition(threads > 0, "a load needs a thread")
    self.seed = seed
    self.amount = amount
    self.threads = threads
  }

  /// What the operations of one family came to.
  public struct Part: Sendable, Equatable {
    /// The family.
    public let family: String
    /// How many were done.
    public internal(set) var operations = 0
    /// How many of them failed, because they were denied or because of that.
    public internal(set) var failures = 0
  }

  /// What the load came to.
  public struct Result: Sendable, Equatable {
    /// How many events happened.
    public internal(set) var events = 0
    /// By family, in the order of the mix; families that the model does not have are not there.
    public internal(set) var parts: [Part] = []
  }

  /// Whether a thread has done its share.
  private func isDone(_ thread: Int, events: Int, operations: Int) -> Bool {
    // What is left over by the division is done by the first threads.
    func share(_ total: Int) -> Int { total / threads + (thread < total % threads ? 1 : 0) }
    switch amount {
    case .events(let total): return events >= share(total)
    case .operations(let total): return operations >= share(total)
    }
  }

  /// Does one thread's share, on the calling thread.
  func run(on model: KernelModel, thread: Int) -> Result {
    let lane = Lane.current
    // What getting ready raises counts, too.
    let first = lane.events
    let own = lane.events - lane.attachments
    var loads: [any LoadPart] = LoadMix.all.compactMap { $0.init(on: model, thread: thread) }
    let shares = loads.map { type(of: $0).share }
    var result = Result()
    result.parts = loads.map { Part(family: type(of: $0).name) }
    let total = shares.reduce(0, +)
    guard total > 0 else { return result }
    var random = LoadRandom(seed: seed &+ UInt64(thread) &* 0xA076_1D64_78BD_642F)
    var operations = 0
    // Which thread a hook is put in for depends on the others: that is not counted as its own.
    while !isDone(
      thread, events: lane.events - lane.attachments - own, operations: operations)
    {
      operations += 1
      var place = random.below(total)
      var index = 0
      while place >= shares[index] {
        place -= shares[index]
        index += 1
      }
      result.parts[index].operations += 1
      if !loads[index].perform(&random) { result.parts[index].failures += 1 }
    }
    lane.process = nil
    result.events = lane.events - first
    return result
  }
}

extension KernelModel {
  /// Lets a generated load happen on threads of its own, and returns when all of it has.
  ///
  /// - Throws: when the model has been closed, or a hook that is put in on the way was refused.
  public func run(_ load: GeneratedLoad) throws(KernelError) -> GeneratedLoad.Result {
    try restarted(with: KextLoad.kexts(load.threads)) {
      // Before anybody forks: their numbers are theirs.
      for process in LoadProcess.all(threads: load.threads) { processes.adopt(process) }
      // A machine that this many threads would fill is a larger one.
      let needed = processes.all.count + load.threads * ProcessLoad.most
      processes.limits.all = max(processes.limits.all, needed)
      let total = PosixLock(GeneratedLoad.Result())
      let threads = (0..<load.threads).map { number in
        WorkerThread(named: "load \(number)") {
          let result = load.run(on: self, thread: number)
          total.withLock { $0.add(result) }
        }
      }
      for thread in threads { thread.join() }
      return total.withLock { $0 }
    }
  }
}

extension GeneratedLoad.Result {
  fileprivate mutating func add(_ other: Self) {
    events += other.events
    if parts.isEmpty {
      parts = other.parts
      return
    }
    for (index, part) in other.parts.enumerated() {
      parts[index].operations += part.operations
      parts[index].failures += part.failures
    }
  }
}
