// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc

// Unchecked: `thread` is set once, before anybody else sees it.
/// A thread that runs one closure and can be joined.
public final class WorkerThread: @unchecked Sendable {
  private var thread = pthread_t()

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - name: shown by debuggers; the first 15 bytes of it.
  ///   - body: runs on the new thread.
  public convenience init(named name: String, _ body: @escaping @Sendable () -> Void) {
    var error: Int32 = 0
    self.init(named: name, error: &error, body)
    precondition(error == 0, "pthread_create: error \(error)")
  }

  /// Starts the thread if the system has one left.
  ///
  /// - Returns: nil when it has not.
  public convenience init?(trying name: String, _ body: @escaping @Sendable () -> Void) {
    var error: Int32 = 0
    self.init(named: name, error: &error, body)
    if error != 0 { return nil }
  }

  private init(named name: String, error: inout Int32, _ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Body(name: name, run: body))
    error = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
        ckemon_thread_set_name(body.name)
        ckemon_crash_prepare_thread()
        body.run()
        return nil
      }, box.toOpaque())
    if error != 0 { box.release() }
  }

  /// Waits for the end of the thread; once.
  ///
  /// On the thread itself, where the last reference to what it works for may go: lets it end by itself.
  public func join() {
    if pthread_equal(thread, pthread_self()) != 0 { detach() } else { pthread_join(thread, nil) }
  }

  /// Lets the thread go by itself when it ends; instead of ``join()``.
  public func detach() { pthread_detach(thread) }

  /// A small number of the calling thread that no other living thread has.
  public static var currentNumber: Int { Int(ckemon_thread_number()) }

  private final class Body {
    let name: String
    let run: @Sendable () -> Void
    init(name: String, run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }
}
