// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import Synchronization
import Testing

@testable import KemonPluginHost

/// Functions that plugins offer to each other.
@Suite struct ServiceTests {
  private static let count = 400

  /// Calls as C compiles them: every type, many arguments, results of every kind.
  @Test(.enabled(if: Command.exists("cc"), "needs cc"))
  func `functions of C get what their caller passed, and it gets what they return`() throws {
    var random = RandomSignatures()
    let signatures = (0..<Self.count).map { _ in random.anything() }
    let compiled = try CompiledSignatures(signatures)
    var lanes: [CallLane: Int] = [:]
    for (index, signature) in signatures.enumerated() {
      let service = Service(
        "s", signature, owner: 1, pluginID: 1, ownerName: "p",
        function: try compiled.function(index),
        context: compiled.given)
      lanes[service.layout.lane, default: 0] += 1
      for _ in 0..<4 { try check(service, compiled, &random) }
    }
    #expect((lanes[.fast] ?? 0) > 50 && (lanes[.ffi] ?? 0) > 50, "\(lanes)")
  }

  private func check(
    _ service: Service, _ compiled: CompiledSignatures, _ random: inout RandomSignatures
  ) throws {
    let fields = service.signature.fields
    let room = UnsafeMutableRawPointer.allocate(byteCount: 65536, alignment: 16)
    let target = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
    defer {
      room.deallocate()
      target.deallocate()
    }
    for byte in 0..<65536 {
      room.storeBytes(
        of: UInt8.random(in: 0...255, using: &random.random), toByteOffset: byte, as: UInt8.self)
    }
    target.storeBytes(of: random.random.next(), as: UInt64.self)
    let size = service.signature.result?.size ?? 0
    for byte in 0..<max(size, 16) {
      compiled.given.storeBytes(
        of: UInt8.random(in: 0...255, using: &random.random), toByteOffset: byte, as: UInt8.self)
    }
    let places = CompiledSignatures.places(service.signature)
    var arguments: [UnsafeMutableRawPointer?] = []
    for (field, place) in zip(fields, places) {
      if case .pointer = field.type {
        room.storeBytes(of: target, toByteOffset: place, as: UnsafeMutableRawPointer.self)
      }
      arguments.append(field.isOptional && random.chance(2) ? nil : room + place)
    }
    let result = UnsafeMutableRawPointer.allocate(byteCount: 512, alignment: 16)
    defer { result.deallocate() }
    #expect(service.call(Array(fields.indices), arguments, result))
    for (index, field) in fields.enumerated() {
      let seen = UnsafeRawBufferPointer(
        start: compiled.seen + places[index], count: field.type.size)
      if case .pointer(let scalar) = field.type {
        let there = UnsafeRawBufferPointer(start: compiled.seen + places[index], count: scalar.size)
        let expected = UnsafeRawBufferPointer(start: target, count: scalar.size)
        #expect(
          arguments[index] == nil
            ? there.allSatisfy { $0 == 0xEE } : there.elementsEqual(expected),
          "\(service.signature.text), argument \(index)")
        continue
      }
      let isEqual =
        arguments[index].map {
          Self.isEqual(field.type, seen, UnsafeRawBufferPointer(start: $0, count: seen.count))
        } ?? Self.isEqual(field.type, seen, nil)
      #expect(isEqual, "\(service.signature.text), argument \(index)")
    }
    guard let type = service.signature.result else { return }
    #expect(
      Self.isEqual(
        type, UnsafeRawBufferPointer(start: result, count: size),
        UnsafeRawBufferPointer(start: compiled.given, count: size)),
      "the result of \(service.signature.text)")
  }

  /// Compares values without the padding of structures; nil stands for zeros.
  private static func isEqual(
    _ type: TypedType, _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer?
  ) -> Bool {
    guard case .structure(let members) = type else {
      guard let right else { return left.allSatisfy { $0 == 0 } }
      return left.elementsEqual(right)
    }
    var offset = 0
    for member in members {
      offset = (offset + member.alignment - 1) / member.alignment * member.alignment
      let range = offset..<offset + member.size
      let part = right.map { UnsafeRawBufferPointer(rebasing: $0[range]) }
      guard isEqual(member, UnsafeRawBufferPointer(rebasing: left[range]), part) else {
        return false
      }
      offset += member.size
    }
    return true
  }

  // MARK: Between plugins

  private static let answers: Result<[String: String], any Error> = Result {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("service-provider"), to: "provider.so")
    try test.folder.copy(Fixtures.build("service-user"), to: "user.so")
    let report = test.load()
    try #require(report.problems.isEmpty, "\(report.problems)")
    try #require(test.host.start().isEmpty)
    test.host.stop()
    var answers: [String: String] = [:]
    for line in test.collector.lines {
      let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
      answers[parts[0]] = parts[1]
    }
    return answers
  }

  @Test(arguments: [
    ("scale", "0 0:0 "), ("scaled", "0 7.5"), ("missing", "-1 -1"), ("other order", "0 0:0 "),
    ("ordered", "0 6.5"),
    ("optional", "0 1 2.5"),
    (
      "misspelled",
      "-1 1:11 service \"scale\" of service-provider takes no \"fctor\"; near: factor"
    ),
    (
      "wrong type",
      "-1 1:9 service \"scale\" of service-provider takes \"value\" as d (double), here it is f "
        + "(float)"
    ),
    ("too few", "-1 1:12 service \"scale\" of service-provider needs \"factor:d\", too"),
    (
      "wrong result",
      "-1 1:24 service \"scale\" of service-provider returns d (double), here it is i"
    ),
    ("nobody", "-4 0:0 nobody offers service \"scael\"; near: scale"),
    ("taken", "-1 0:0 service \"scale\" is offered by service-provider already"),
    ("words", "-1 1:1 signature: who calls a service writes no brackets"),
  ])
  func `both ends are checked`(what: String, answer: String) throws {
    #expect(try Self.answers.get()[what] == answer)
  }

  @Test func `a service is withdrawn when the last call has left`() throws {
    final class Gate: Sendable {
      let isInside = Flag()
      let mayLeave = Flag()
      let isClosed = Flag()
    }
    let gate = Gate()
    let function: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
      guard let context else { return 0 }
      let gate = Unmanaged<Gate>.fromOpaque(context).takeUnretainedValue()
      // Only the first caller stays.
      guard !gate.isInside.isSet else { return 42 }
      gate.isInside.set()
      while !gate.mayLeave.isSet { sched_yield() }
      return 42
    }
    let registry = ServiceRegistry()
    let signature = try TypedSignature(parsing: "-> i")
    try registry.provide(
      Service(
        "slow", signature, owner: 3, pluginID: 1, ownerName: "p",
        function: unsafeBitCast(function, to: UnsafeRawPointer.self),
        context: Unmanaged.passUnretained(gate).toOpaque()))
    let binding = try registry.bind("slow", as: signature)
    let caller = WorkerThread(named: "caller") {
      var result: Int32 = 0
      #expect(binding.call(nil, &result) == KEMON_OK && result == 42)
    }
    while !gate.isInside.isSet { sched_yield() }
    let closer = WorkerThread(named: "closer") {
      registry.withdraw(owner: 3)
      gate.isClosed.set()
    }
    while binding.call(nil, nil) == KEMON_OK {}
    #expect(binding.call(nil, nil) == KEMON_E_NOTFOUND)
    #expect(!gate.isClosed.isSet, "the call is still inside")
    gate.mayLeave.set()
    caller.join()
    closer.join()
    #expect(gate.isClosed.isSet)
  }

  @Test func `the next generation of a plugin takes the place of its service`() throws {
    let first: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { _ in 1 }
    let second: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { _ in 2 }
    let registry = ServiceRegistry()
    func service(
      _ text: String, owner: UInt32, _ function: @convention(c) (UnsafeMutableRawPointer?) -> Int32
    ) throws -> Service {
      Service(
        "s", try TypedSignature(parsing: text), owner: owner, pluginID: 1, ownerName: "p",
        function: unsafeBitCast(function, to: UnsafeRawPointer.self), context: nil)
    }
    try registry.provide(try service("-> i", owner: 1, first))
    let binding = try registry.bind("s", as: TypedSignature(parsing: "->i"))
    var result: Int32 = 0
    #expect(binding.call(nil, &result) == KEMON_OK && result == 1)
    try registry.provide(try service("-> i", owner: 2, second))
    registry.withdraw(owner: 1)
    #expect(binding.call(nil, &result) == KEMON_OK && result == 2)
    try registry.provide(try service("a?:i -> i", owner: 3, second))
    #expect(binding.call(nil, &result) == KEMON_E_STATE, "another signature must be bound anew")
    registry.withdraw(owner: 2)
    registry.withdraw(owner: 3)
    #expect(binding.call(nil, &result) == KEMON_E_NOTFOUND)
  }
}
