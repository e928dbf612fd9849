// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import Glibc

@testable import KemonHooks

/// Hooks and unhooks every exported function of a library in forked children, and compares the calls that can be compared.
///
/// To be run in a process of its own: the children are forks of it.
final class ExportWalk {
  private struct Function {
    let name: String
    let address: UnsafeRawPointer
    let call: ExportCall?
    /// A plan says that it cannot be hooked.
    let isRefused: Bool
  }

  /// What became of one function.
  private enum Verdict: UInt32 {
    case hooked = 1
    case compared, refused, unlikePlan, unlike, unrestored, uncounted
  }

  private var functions: [Function] = []
  private(set) var problems: [String] = []

  /// So many functions are walked through by one child.
  private static let chunk = 48

  var functionCount: Int { functions.count }
  var refusedCount: Int { functions.filter(\.isRefused).count }
  /// Functions that are called, too.
  var comparedCount: Int { functions.filter { $0.call != nil }.count }

  init(_ library: String) throws {
    let survey = try LibrarySurvey(of: library)
    let file = try LibraryFile(path: survey.path)
    let bases = file.functions.lazy.filter { !$0.isIndirect }.compactMap { function in
      (try? HookEngine.address(of: function.name, in: library)).map { $0 - Int(function.address) }
    }
    guard let base = bases.first else { return }
    var seen: Set<UnsafeRawPointer> = []
    let found = file.functions.compactMap { function -> (String, UnsafeRawPointer)? in
      let address =
        function.isIndirect
        ? try? HookEngine.address(of: function.name, in: library)
        : base + Int(function.address)
      guard let address, seen.insert(address).inserted else { return nil }
      return (function.name, address)
    }
    let plans = HookEngine.plans(found.map { (UInt(bitPattern: $0.1), HookOptions()) })
    functions = zip(found, plans).map { found, plan in
      Function(
        name: found.0, address: found.1, call: ExportCall(found.0, of: library),
        isRefused: (try? plan.get()) == nil)
    }
  }

  func run() {
    var next = 0
    while next < functions.count {
      let first = next
      let last = end(of: first)
      // The upper half says what became of it, the lower half which function it is.
      var progress = UInt32(first)
      let context = Unmanaged.passUnretained(self).toOpaque()
      let status = corpus_in_child(
        { context, progress in
          guard let context, let progress else { return }
          Unmanaged<ExportWalk>.fromOpaque(context).takeUnretainedValue().walk(progress)
        }, context, 60, &progress)
      let reached = Int(progress & 0xFFFF)
      if status == 0, reached == last {
        next = last
      } else {
        let verdict = Verdict(rawValue: progress >> 16).map { "\($0)" } ?? "status \(status)"
        problems.append("\(functions[min(reached, functions.count - 1)].name): \(verdict)")
        next = reached + 1
      }
    }
  }

  /// The end of the chunk that holds a function.
  private func end(of index: Int) -> Int {
    min(functions.count, (index / Self.chunk + 1) * Self.chunk)
  }

  /// In the child: hooks one function after the other, beginning with `progress`, to the end of the chunk.
  private func walk(_ progress: UnsafeMutablePointer<UInt32>) {
    let first = Int(progress.pointee)
    for index in first..<end(of: first) {
      progress.pointee = UInt32(index)
      switch check(functions[index]) {
      case .hooked, .compared, .refused: progress.pointee = UInt32(index + 1)
      case let problem:
        progress.pointee = problem.rawValue << 16 | UInt32(index)
        _exit(1)
      }
    }
  }

  nonisolated(unsafe) private static var before = 0
  nonisolated(unsafe) private static var after = 0

  private func check(_ function: Function) -> Verdict {
    let bytes = Self.bytes(at: function.address)
    let expected = function.call.map { call in (0..<4).map { call.run(function.address, round: $0) }
    }
    let hook: Hook
    do {
      hook = try HookEngine.attach(
        entry: function.address,
        handlers: HookHandlers(
          pre: { _, _ in
            ExportWalk.before += 1
            return Int32(CKEMON_PROCEED)
          }, post: { _, _ in ExportWalk.after += 1 }))
    } catch {
      guard Self.bytes(at: function.address) == bytes else { return .unrestored }
      return function.isRefused ? .refused : .unlikePlan
    }
    var verdict = Verdict.hooked
    if let call = function.call, let expected {
      let count = Self.before
      let found = (0..<4).map { call.run(function.address, round: $0) }
      verdict = found != expected ? .unlike : Self.before < count + 4 ? .uncounted : .compared
    }
    do { try hook.detach() } catch { return .unrestored }
    guard Self.bytes(at: function.address) == bytes else { return .unrestored }
    return Self.before == Self.after ? verdict : .uncounted
  }

  private static func bytes(at address: UnsafeRawPointer) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: address, count: 16))
  }
}
