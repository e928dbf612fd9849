// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// An exec that a thread is in: what its pre event said, for its post event.
///
/// Belongs to one thread; used again for the next exec.
final class ExecOperation {
  /// Whose hooks saw it begin.
  fileprivate(set) var owner: UnsafeRawPointer?
  /// What joins pre and post; 0 when nobody has been asked.
  var number: UInt64 = 0
  var parameters: UnsafeMutablePointer<kernel_image_params>?
  var device: UInt64 = 0
  var inode: UInt64 = 0
  /// The image; of a script the script.
  var path = PathRoom()
  var directory = PathRoom()

  deinit {
    path.deallocate()
    directory.deallocate()
  }

  fileprivate func begin(_ owner: UnsafeRawPointer) {
    self.owner = owner
    number = 0
    parameters = nil
  }
}

/// What a thread does with processes.
final class ProcessLane {
  /// The number that the next child of the thread gets.
  private(set) var wantedPID: Int32?
  /// The child that the thread makes: kept, as others may take it out of the table meanwhile.
  var child: ModelProcess?
  /// The exec that the thread is in, as whoever walks its stack could find it.
  private(set) var parameters: UnsafeMutablePointer<kernel_image_params>?
  // As deep as handlers that execute something themselves go.
  private var operations: [ExecOperation] = []
  private var depth = 0

  /// Runs a closure that makes a child.
  ///
  /// - Parameter pid: its number, if it matters.
  /// - Returns: what the closure returns, and the child, of which a call has begun.
  func making(pid: Int32?, _ body: () -> Int32) -> (error: Int32, child: ModelProcess?) {
    // Handlers inside may make others.
    let before = (wantedPID, child)
    (wantedPID, child) = (pid, nil)
    defer { (wantedPID, child) = before }
    let error = body()
    return (error, child)
  }

  /// Runs a closure that executes something.
  func with<Result>(
    _ parameters: UnsafeMutablePointer<kernel_image_params>, _ body: () -> Result
  ) -> Result {
    let before = self.parameters
    self.parameters = parameters
    defer { self.parameters = before }
    return body()
  }

  /// Notes that an exec begins.
  func begin(_ owner: UnsafeRawPointer) -> ExecOperation {
    if depth == operations.count { operations.append(ExecOperation()) }
    let operation = operations[depth]
    depth += 1
    operation.begin(owner)
    return operation
  }

  /// The exec that the thread is in, if those hooks saw it begin.
  func current(_ owner: UnsafeRawPointer) -> ExecOperation? {
    guard depth > 0, operations[depth - 1].owner == owner else { return nil }
    return operations[depth - 1]
  }

  /// Notes that the innermost exec is over.
  func end() { depth -= 1 }
}
