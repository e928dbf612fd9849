// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// What a plugin asks for through `kemon.typed/1`.
extension LoadedPlugin {
  /// Writes what a signature comes to into the caller's buffer.
  func describe(
    _ kind: UnsafePointer<CChar>?, _ signature: UnsafePointer<CChar>?,
    _ out: UnsafeMutablePointer<CChar>?, _ capacity: Int,
    _ buffer: UnsafeMutablePointer<kemon_error>?
  ) -> kemon_status {
    answer(buffer) { () throws(PluginRefusal) in
      let kind = try Self.text(kind, HandlerRequest.nameLimit, "kind")
      let text = try Self.text(signature, TypedSignature.textLimit, "signature")
      let description = try TypedDescription(
        kind: kind, signature: text, operations: services.operations
      ).text
      guard let out, description.utf8.count < capacity else {
        throw PluginRefusal(
          KEMON_E_FULL, "the description needs \(description.utf8.count + 1) bytes")
      }
      UnsafeMutableRawBufferPointer(start: out, count: capacity).fill(with: description)
    }
  }

  /// Offers a service.
  func provide(
    _ name: UnsafePointer<CChar>?, _ signature: UnsafePointer<CChar>?, _ function: kemon_any_fn?,
    _ context: UnsafeMutableRawPointer?, _ buffer: UnsafeMutablePointer<kemon_error>?
  ) -> kemon_status {
    answer(buffer) { () throws(PluginRefusal) in
      try requireControl()
      let name = try Self.text(name, ServiceRegistry.nameLimit, "the service's name")
      guard !name.isEmpty else { throw PluginRefusal(KEMON_E_INVALID, "the name is empty") }
      guard let function else { throw PluginRefusal(KEMON_E_INVALID, "fn is NULL") }
      let signature = try Self.serviceSignature(signature)
      try services.typed.provide(
        Service(
          name, signature, owner: instanceNumber, pluginID: id, ownerName: self.name,
          function: unsafeBitCast(function, to: UnsafeRawPointer.self), context: context))
    }
  }

  /// Finds a service.
  func find(
    _ name: UnsafePointer<CChar>?, _ signature: UnsafePointer<CChar>?,
    _ service: UnsafeMutablePointer<OpaquePointer?>?, _ buffer: UnsafeMutablePointer<kemon_error>?
  ) -> kemon_status {
    answer(buffer) { () throws(PluginRefusal) in
      try requireControl()
      guard let service else { throw PluginRefusal(KEMON_E_INVALID, "service is NULL") }
      let name = try Self.text(name, ServiceRegistry.nameLimit, "the service's name")
      let binding = try services.typed.bind(name, as: try Self.callerSignature(signature))
      service.pointee = OpaquePointer(Unmanaged.passRetained(binding).toOpaque())
    }
  }

  /// Calls a service.
  func call(
    _ service: OpaquePointer?, _ result: UnsafeMutableRawPointer?,
    _ arguments: UnsafePointer<UnsafeMutableRawPointer?>?
  ) -> kemon_status {
    guard let service else {
      noteMisbehaviour()
      return KEMON_E_INVALID
    }
    let status = Unmanaged<ServiceBinding>.fromOpaque(UnsafeRawPointer(service))
      ._withUnsafeGuaranteedRef { $0.call(arguments, result) }
    if status == KEMON_E_INVALID { noteMisbehaviour() }
    return status
  }

  /// The signature that a service is found with: the caller points at every argument, however it was offered.
  private static func callerSignature(
    _ pointer: UnsafePointer<CChar>?
  ) throws(PluginRefusal) -> TypedSignature {
    let signature = try serviceSignature(pointer)
    guard signature.form == .arguments else {
      throw PluginRefusal(
        KEMON_E_INVALID, line: 1, column: 1, "signature: who calls a service writes no brackets")
    }
    return signature
  }

  private static func serviceSignature(
    _ pointer: UnsafePointer<CChar>?
  ) throws(PluginRefusal) -> TypedSignature {
    let text = try text(pointer, TypedSignature.textLimit, "signature")
    do throws(SignatureError) {
      return try TypedSignature(parsing: text)
    } catch {
      throw PluginRefusal(
        KEMON_E_INVALID, line: error.line, column: error.column, "signature: \(error.message)")
    }
  }

  private static func text(
    _ pointer: UnsafePointer<CChar>?, _ limit: Int, _ name: String
  ) throws(PluginRefusal) -> String {
    guard let pointer else { throw PluginRefusal(KEMON_E_INVALID, "\(name) is NULL") }
    return try ForeignStruct.text(pointer, limit: limit, named: name)
  }

  private func requireControl() throws(PluginRefusal) {
    guard isControlThread else {
      throw PluginRefusal(
        KEMON_E_STATE, "services are offered and found in create and start, on their thread")
    }
  }

  /// Runs a request; a refusal is written into the caller's buffer.
  private func answer(
    _ buffer: UnsafeMutablePointer<kemon_error>?, _ body: () throws(PluginRefusal) -> Void
  ) -> kemon_status {
    do throws(PluginRefusal) {
      try body()
      return KEMON_OK
    } catch {
      if error.status == KEMON_E_INVALID { noteMisbehaviour() }
      return error.report(to: buffer)
    }
  }
}
