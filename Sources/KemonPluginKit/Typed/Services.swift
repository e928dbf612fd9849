// SPDX-License-Identifier: Apache-2.0

/// The part of `kemon.typed/1` that is about functions which plugins offer to each other.
public struct Services: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; what is not marked [any] says so.
  let host: Host
  let table: UnsafePointer<kemon_ext_typed>

  /// Offers a function to other plugins; in `init` or `start` only.
  ///
  /// ```swift
  /// try services.provide("rules.lookup", fields: "path", "uid") { (path: RecordText, uid: UInt32) -> Int32 in
  ///   path.starts(with: "/etc/") && uid != 0 ? 1 : 0
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - name: unique in a host.
  ///   - fields: the names of the parameters, in their order.
  ///   - body: called by any thread, by several at a time, from now on until ``KemonPlugin/stop()``.
  /// - Throws: when another plugin offers that name, or there are not as many names as parameters.
  public func provide<each Value: TypedArgument, Result: ServiceResult>(
    _ name: String, fields: String...,
    body: @escaping @Sendable (repeat each Value) -> Result
  ) throws(HostRefusal) {
    try offer(name, try Self.signature(name, fields, (repeat each Value).self, Result.signature)) {
      words, result in
      var reader = WordReader(words: words)
      let value = body(repeat reader.next((each Value).self))
      result?.storeBytes(of: value, as: Result.self)
    }
  }

  /// Offers a function without a result; in `init` or `start` only.
  ///
  /// - Throws: as for a function with one.
  public func provide<each Value: TypedArgument>(
    _ name: String, fields: String...,
    body: @escaping @Sendable (repeat each Value) -> Void
  ) throws(HostRefusal) {
    try offer(name, try Self.signature(name, fields, (repeat each Value).self, nil)) { words, _ in
      var reader = WordReader(words: words)
      body(repeat reader.next((each Value).self))
    }
  }

  /// Finds a function of another plugin; in `init` or `start` only.
  ///
  /// ```swift
  /// let lookup = try services.find("rules.lookup", fields: "path", "uid", as: ((String, UInt32) -> Int32).self)
  /// let answer = try lookup("/etc/hosts", 501)
  /// ```
  ///
  /// The order of the names is the caller's; what is an optional may be one that the function does not take.
  ///
  /// - Parameters:
  ///   - name: what it was offered as. Its plugin stands in `needs` of the manifest, so that it is there.
  ///   - fields: the names of the parameters, in their order.
  ///   - type: the type of the function.
  /// - Returns: a function for any thread, which throws when the plugin has stopped (`KEMON_E_NOTFOUND`), or another
  ///   generation of it has another signature (`KEMON_E_STATE`).
  /// - Throws: when nobody offers it, or it does not match.
  public func find<each Value: ServiceArgument, Result: ServiceResult>(
    _ name: String, fields: String..., as type: ((repeat each Value) -> Result).Type
  ) throws(HostRefusal) -> @Sendable (repeat each Value) throws(HostRefusal) -> Result {
    let service = try look(
      name, try Self.signature(name, fields, (repeat each Value).self, Result.signature))
    return { (values: repeat each Value) throws(HostRefusal) -> Result in
      var result = Result.zero
      try withUnsafeMutableBytes(of: &result) { (room) throws(HostRefusal) in
        try service.call(room.baseAddress, repeat each values)
      }
      return result
    }
  }

  /// Finds a function without a result; in `init` or `start` only.
  ///
  /// - Throws: as for a function with one.
  public func find<each Value: ServiceArgument>(
    _ name: String, fields: String..., as type: ((repeat each Value) -> Void).Type
  ) throws(HostRefusal) -> @Sendable (repeat each Value) throws(HostRefusal) -> Void {
    let service = try look(name, try Self.signature(name, fields, (repeat each Value).self, nil))
    return { (values: repeat each Value) throws(HostRefusal) in
      try service.call(nil, repeat each values)
    }
  }

  private static func signature<each Value: TypedArgument>(
    _ name: String, _ fields: [String], _ type: (repeat each Value).Type, _ result: String?
  ) throws(HostRefusal) -> (list: String, result: String) {
    var types: [(letters: String, isOptional: Bool)] = []
    repeat types.append(((each Value).signature, (each Value).isOptional))
    let names = TypedNames(fields: fields, types: types)
    guard let list = names.list else {
      throw HostRefusal(KEMON_E_INVALID, "service \(name)", reason: names.mismatch)
    }
    return (list, result.map { " -> \($0)" } ?? "")
  }

  private func offer(
    _ name: String, _ signature: (list: String, result: String),
    _ body: @escaping @Sendable (UnsafePointer<UInt64>, UnsafeMutableRawPointer?) -> Void
  ) throws(HostRefusal) {
    let provider = Provider(body)
    host.context.keepForCalls(provider)
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let status = table.pointee.provide(
      host.table, name, "[\(signature.list)]\(signature.result)",
      unsafeBitCast(callProvider, to: kemon_any_fn.self),
      Unmanaged.passUnretained(provider).toOpaque(), &error)
    try HostRefusal.check(status, "provide \(name)", error)
  }

  private func look(
    _ name: String, _ signature: (list: String, result: String)
  ) throws(HostRefusal) -> FoundService {
    var service: OpaquePointer?
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let status = table.pointee.find(
      host.table, name, signature.list + signature.result, &service, &error)
    try HostRefusal.check(status, "find \(name)", error)
    return FoundService(host: host.table, table: table, service: service, name: name)
  }
}

/// What a found service is called by; any thread.
private struct FoundService: @unchecked Sendable {
  // Good until the plugin's end, as the host's tables are; `call` is marked [any].
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_typed>
  let service: OpaquePointer?
  let name: String

  func call<each Value: ServiceArgument>(
    _ result: UnsafeMutableRawPointer?, _ values: repeat each Value
  ) throws(HostRefusal) {
    var count = 0
    for _ in repeat (each Value).self { count += 1 }
    let status = withUnsafeTemporaryAllocation(
      of: UInt64.self, capacity: max(1, count * ServiceFrame.wordsPerArgument)
    ) { words in
      withUnsafeTemporaryAllocation(
        of: UnsafeMutableRawPointer?.self, capacity: max(1, count)
      ) { places in
        guard let first = words.baseAddress, let place = places.baseAddress else {
          return KEMON_E_NOMEM
        }
        var frame = ServiceFrame(places: place, next: first)
        repeat (each values).put(into: &frame)
        defer { for copy in frame.copies { copy.deallocate() } }
        return table.pointee.call(host, service, result, place)
      }
    }
    try HostRefusal.check(status, "call \(name)")
  }
}

/// What the context of an offered function points at.
private final class Provider: Sendable {
  let body: @Sendable (UnsafePointer<UInt64>, UnsafeMutableRawPointer?) -> Void

  init(_ body: @escaping @Sendable (UnsafePointer<UInt64>, UnsafeMutableRawPointer?) -> Void) {
    self.body = body
  }
}

private let callProvider: kemon_words_service_fn = { context, words, result in
  guard let context, let words else { return }
  Unmanaged<Provider>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.body(words, result) }
}
