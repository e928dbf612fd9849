// SPDX-License-Identifier: Apache-2.0

/// One created plugin with what its registered handlers point at: the `self` of the C table.
final class PluginInstance: Sendable {
  let plugin: any KemonPlugin
  private let targets: [HandlerTarget]

  /// Makes the plugin and registers its handlers.
  init(_ type: any KemonPlugin.Type, host table: UnsafePointer<kemon_host>) throws {
    plugin = try type.init(host: Host(table))
    let handlers = plugin.handlers
    targets = handlers.map(\.target)
    for handler in handlers { try handler.register(with: table) }
  }
}

extension Handler {
  func register(with host: UnsafePointer<kemon_host>) throws(RegistrationError) {
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let status = name.withCString { name in
      kind.withCString { kind in
        withOptionalCString(filter) { filter in
          var description = kemon_handler()
          description.size = UInt32(MemoryLayout<kemon_handler>.size)
          description.flags = flags
          description.name = name
          description.kind = kind
          description.filter = filter
          description.fn = call
          description.ctx = Unmanaged.passUnretained(target).toOpaque()
          description.phase = phase?.rawValue ?? 0
          description.on_fault = onFault.rawValue
          description.priority = priority
          return host.pointee.on(host, &description, nil, &error)
        }
      }
    }
    guard status == KEMON_OK else { throw RegistrationError(handler: name, error) }
  }
}

/// Why the host refused a handler.
struct RegistrationError: Error, CustomStringConvertible {
  let handler: String
  let message: String
  let line: UInt32
  let column: UInt32

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

private func withOptionalCString<Result>(
  _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
  guard let text else { return body(nil) }
  return text.withCString(body)
}
