// SPDX-License-Identifier: Apache-2.0

/// A plugin: reads its configuration, declares handlers, and answers events.
///
/// ```swift
/// final class Guard: KemonPlugin {
///   let secret: String
///
///   init(host: Host) throws { secret = try host.config.string("path") ?? "/etc/shadow" }
///
///   var handlers: [Handler] {
///     On("file.open", .pre, filter: "not uid == 0") { [self] event in
///       event.view(of: kemon_file.self)?.path.string == secret ? .deny(.EACCES, "secret") : .abstain
///     }
///   }
/// }
///
/// @c(kemon_plugin_v1)
/// public func kemon_plugin_v1(
///   _ hello: UnsafeMutablePointer<kemon_hello>?
/// ) -> UnsafePointer<kemon_plugin>? { exportPlugin(Guard.self, hello) }
/// ```
///
/// Handlers run on the threads on which events happen, several at a time; that is why a plugin is `Sendable`.
/// ``init(host:)``, ``handlers``, ``start()`` and ``stop()`` are called by the host's control thread, one at a time.
///
/// A plugin that takes another configuration while it runs is also ``Reconfigurable``; one that leaves what it knows to its
/// next generation is ``StateSaving``.
public protocol KemonPlugin: AnyObject, Sendable {
  /// Reads the configuration; what it throws is shown to the operator and the plugin is not loaded.
  ///
  /// - Parameter host: may be kept; it is valid as long as the plugin is.
  init(host: Host) throws

  /// What the plugin wants to be called for; read once, after ``init(host:)``.
  @HandlerBuilder var handlers: [Handler] { get }

  /// Called before the first event; what it throws is shown to the operator and the plugin does not run.
  func start() throws

  /// Called after the last handler has returned; threads of the plugin's own must have ended when it returns.
  func stop()
}

extension KemonPlugin {
  /// Does nothing.
  public func start() throws {}

  /// Does nothing.
  public func stop() {}
}
