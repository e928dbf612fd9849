// SPDX-License-Identifier: Apache-2.0

/// One created plugin with what its registered handlers point at: the `self` of the C table.
final class PluginInstance: Sendable {
  let plugin: any KemonPlugin
  let host: Host
  private let targets: [HandlerTarget]

  /// Makes the plugin and registers its handlers.
  init(
    _ type: any KemonPlugin.Type, host table: UnsafePointer<kemon_host>,
    create: UnsafePointer<kemon_create>? = nil
  ) throws {
    let context = InstanceContext(create)
    let host = Host(table, context)
    defer { context.forgetState() }
    do {
      let plugin = try type.init(host: host)
      let handlers = plugin.handlers
      for handler in handlers { try handler.register(with: host) }
      if let name = context.unknownHandlers(among: handlers.map(\.name)).first {
        throw RegistrationError(handler: name, message: "to be muted, but there is none")
      }
      self.plugin = plugin
      self.host = host
      targets = handlers.map(\.target)
    } catch {
      context.outliveCalls()
      throw error
    }
  }
}

extension Handler {
  func register(with host: Host) throws(RegistrationError) {
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    if let signature, signature.text == nil {
      throw RegistrationError(handler: name, message: signature.mismatch)
    }
    var description = kemon_handler()
    description.size = UInt32(MemoryLayout<kemon_handler>.size)
    try terms.write(to: &description, of: name)
    var number: UInt64 = 0
    let status = name.withCString { name in
      kind.withCString { kind in
        withOptionalCStrings(filter, signature?.text) { filter, signature in
          description.flags = flags
          description.name = name
          description.kind = kind
          description.filter = filter
          description.fn = call
          description.ctx = Unmanaged.passUnretained(target).toOpaque()
          description.phase = phase?.rawValue ?? 0
          description.on_fault = onFault.rawValue
          description.priority = priority
          if let signature {
            description.signature = signature
            description.typed = unsafeBitCast(callTypedVoter, to: kemon_any_fn.self)
          }
          return host.table.pointee.on(host.table, &description, &number, &error)
        }
      }
    }
    guard status == KEMON_OK else { throw RegistrationError(handler: name, error) }
    host.context.known(name, number)
  }
}

/// Why the host refused a handler.
struct RegistrationError: Error, CustomStringConvertible {
  let handler: String
  let message: String
  let line: UInt32
  let column: UInt32

  init(handler: String, message: String) {
    self.handler = handler
    self.message = message
    (line, column) = (0, 0)
  }

  init(handler: String, _ error: kemon_error) {
    self.handler = handler
    line = error.line
    column = error.column
    message = withUnsafeBytes(of: error.text) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  var description: String { "handler \(handler): \(message)" }
}

private func withOptionalCStrings<Result>(
  _ first: String?, _ second: String?,
  _ body: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Result
) -> Result {
  guard let first else {
    guard let second else { return body(nil, nil) }
    return second.withCString { body(nil, $0) }
  }
  return first.withCString { first in
    guard let second else { return body(first, nil) }
    return second.withCString { body(first, $0) }
  }
}
