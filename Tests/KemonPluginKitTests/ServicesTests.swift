// SPDX-License-Identifier: Apache-2.0

import KemonFakeHost
import Synchronization
import Testing

@testable import KemonPluginKit

/// Functions that plugins offer to each other, as a host's table sees them.
@Suite(.serialized) struct ServicesTests {
  private struct Offered: @unchecked Sendable {
    var signature = ""
    var function: kemon_any_fn?
    var context: UnsafeMutableRawPointer?
  }
  private static let offered = Mutex(Offered())
  /// What the next call does with its arguments and the room for its result.
  private typealias Answer =
    @Sendable (UnsafePointer<UnsafeMutableRawPointer?>?, UnsafeMutableRawPointer?) -> kemon_status
  private static let answer = Mutex<Answer?>(nil)

  private static let asked = Asked()
  nonisolated(unsafe) private static let table = permanent(
    kemon_ext_typed(
      size: UInt32(MemoryLayout<kemon_ext_typed>.size), reserved: 0,
      describe: { _, _, _, _, _, _ in 0 },
      provide: { _, name, signature, function, context, error in
        guard let name, let signature, String(cString: name) != "taken" else {
          return kemon_fail(error, KEMON_E_INVALID, "offered already")
        }
        let (text, address) = (String(cString: signature), UInt(bitPattern: context))
        ServicesTests.offered.withLock {
          $0 = Offered(
            signature: text, function: function,
            context: UnsafeMutableRawPointer(bitPattern: address))
        }
        return KEMON_OK
      },
      find: { _, name, signature, service, error in
        guard let name, let signature, String(cString: name) == "there" else {
          return kemon_fail(error, KEMON_E_NOTFOUND, "nobody offers it")
        }
        ServicesTests.asked.note(String(cString: signature))
        service?.pointee = OpaquePointer(bitPattern: 16)
        return KEMON_OK
      },
      call: { _, service, result, arguments in
        guard service == OpaquePointer(bitPattern: 16) else { return KEMON_E_INVALID }
        return ServicesTests.answer.withLock { $0 }?(arguments, result) ?? KEMON_E_NOTFOUND
      }))

  private let host = FakeHost()
  private let kit: Host
  private let services: Services

  init() throws {
    host.tables[KEMON_EXT_TYPED] = Self.table
    kit = Host(host.table)
    services = try #require(kit.services)
    Self.answer.withLock { $0 = nil }
    _ = Self.asked.take()
  }

  @Test func `a closure is offered with a signature of its parameters`() throws {
    let texts = Mutex<[String]>([])
    try services.provide("mine", fields: "path", "c", "uid", "scale") {
      (path: RecordText, c: CText, uid: UInt32?, scale: Double) -> Int32 in
      texts.withLock { $0 += [path.string, c.string] }
      return Int32(scale) + Int32(uid ?? 1000)
    }
    let offered = Self.offered.withLock { $0 }
    #expect(offered.signature == "[path:b c:z uid?:*I scale:d] -> i")
    let function = unsafeBitCast(
      try #require(offered.function), to: kemon_words_service_fn.self)
    // The variable of a caller in C is no longer than its type.
    let uid = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    uid.initialize(to: 7)
    defer { uid.deallocate() }
    var result: Int32 = 0
    "äb".withCString { text in
      let path = UInt64(UInt(bitPattern: text))
      for (address, expected) in [(UInt64(UInt(bitPattern: uid)), 12), (0, 1005)]
        as [(UInt64, Int32)]
      {
        function(offered.context, [path, 2, path, address, 5.0.bitPattern], &result)
        #expect(result == expected)
      }
    }
    #expect(texts.withLock { $0 } == ["ä", "äb", "ä", "äb"])
  }

  @Test func `a function may return nothing`() throws {
    let calls = Mutex<[Int64]>([])
    try services.provide("tell", fields: "number") { (number: Int64) in
      calls.withLock { $0.append(number) }
    }
    let offered = Self.offered.withLock { $0 }
    #expect(offered.signature == "[number:l]")
    let function = unsafeBitCast(
      try #require(offered.function), to: kemon_words_service_fn.self)
    function(offered.context, [UInt64(bitPattern: -5)], nil)
    #expect(calls.withLock { $0 } == [-5])
  }

  private final class Sharing: KemonPlugin {
    static let gone = Atomic<Int>(0)
    private let host: Host

    init(host: Host) throws { self.host = host }
    deinit { Self.gone.add(1, ordering: .relaxed) }

    func start() throws {
      try host.services?.provide("mine") { [self] () -> UInt32 in host.pluginID }
    }

    var handlers: [Handler] { [] }
  }

  @Test func `a plugin whose function holds it goes all the same`() throws {
    let instance = try #require(createInstance(of: Sharing.self, host: host.table, error: nil))
    #expect(startInstance(instance, error: nil) == KEMON_OK)
    var result: UInt32 = 0
    let offered = Self.offered.withLock { $0 }
    unsafeBitCast(try #require(offered.function), to: kemon_words_service_fn.self)(
      offered.context, [0], &result)
    #expect(result == 7)
    stopInstance(instance)
    #expect(Sharing.gone.load(ordering: .relaxed) == 0)
    destroyInstance(instance)
    #expect(Sharing.gone.load(ordering: .relaxed) == 1)
  }

  @Test func `a call lays its arguments out as C has them`() throws {
    let call = try services.find(
      "there", fields: "path", "c", "uid", "x", "flags", "none", "text",
      as: ((String, CText, UInt32?, Double, Int8, UInt64?, String?) -> Int16).self)
    #expect(Self.asked.take() == ["path:b c:z uid?:*I x:d flags:c none?:*L text?:b -> h"])
    Self.answer.withLock {
      $0 = { arguments, result in
        guard let arguments, let path = arguments[0]?.load(as: kemon_span.self),
          let c = arguments[1]?.load(as: UnsafePointer<CChar>.self),
          let uid = arguments[2]?.load(as: UnsafePointer<UInt32>.self),
          let x = arguments[3]?.load(as: Double.self),
          let flags = arguments[4]?.load(as: Int8.self),
          let text = arguments[6]?.load(as: kemon_span.self)
        else { return KEMON_E_INVALID }
        let bytes = UnsafeRawBufferPointer(start: path.data, count: path.size)
        ServicesTests.asked.note(
          "\(String(decoding: bytes, as: UTF8.self)) \(String(cString: c)) \(uid.pointee) \(x)"
            + " \(flags) \(arguments[5] == nil) \(text.size)")
        result?.storeBytes(of: -3, as: Int16.self)
        return KEMON_OK
      }
    }
    #expect(try call("pä", CText("c"), 7, 0.5, -2, nil, "") == -3)
    #expect(Self.asked.take() == ["pä c 7 0.5 -2 true 0"])
  }

  @Test func `what does not match or is gone is thrown`() throws {
    let nobody = #expect(throws: HostRefusal.self) {
      _ = try services.find("nowhere", as: (() -> Int32).self)
    }
    #expect(nobody?.description == "find nowhere: nobody offers it")
    let few = #expect(throws: HostRefusal.self) {
      _ = try services.find("there", fields: "a", as: ((Int32, Int32) -> Void).self)
    }
    #expect(few?.description == "service there: 1 fields for 2 parameters")
    let taken = #expect(throws: HostRefusal.self) {
      try services.provide("taken") { () -> Int32 in 1 }
    }
    #expect(taken?.description == "provide taken: offered already")
    let call = try services.find("there", fields: "a", as: ((Int32) -> Void).self)
    let gone = #expect(throws: HostRefusal.self) { try call(1) }
    #expect(gone?.status == KEMON_E_NOTFOUND)
    let poor = FakeHost()
    #expect(Host(poor.table).services == nil)
    withExtendedLifetime(poor) {}
  }
}
