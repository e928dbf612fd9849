// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program that a test runs to its end.
public struct Command: Sendable {
  /// What a run came to.
  public struct Result: Sendable {
    /// The exit code, or 128 and the signal, as a shell tells it.
    public let status: Int32
    /// What was written to standard output.
    public let output: String
    /// What was written to standard error.
    public let errors: String
    /// Both.
    public var text: String { output + errors }
  }

  /// Why a program could not be run.
  public struct Failure: Error, CustomStringConvertible {
    /// The system's reason.
    public let description: String

    init(_ code: Int32) { description = String(cString: strerror(code)) }
  }

  /// The file of the program.
  public let path: String

  /// A program by its file.
  public init(path: String) { self.path = path }

  /// A program that was built beside the tests.
  public init(built name: String) {
    path = Products.folder.appending(path: name).path
  }

  /// A program of the system, found in PATH; nil when there is none.
  public init?(_ name: String) {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    guard
      let folder = folders.first(where: {
        FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
      })
    else { return nil }
    path = "\(folder)/\(name)"
  }

  /// The C compiler of Swift's toolchain, in PATH or beside `swift`; nil when there is none.
  public static let clang: Command? =
    Command("clang")
    ?? Command("swift").flatMap { swift in
      let folder = URL(filePath: swift.path).resolvingSymlinksInPath().deletingLastPathComponent()
      let path = folder.appending(path: "clang").path
      return FileManager.default.isExecutableFile(atPath: path) ? Command(path: path) : nil
    }

  /// Runs a suite of the running tests in a process of its own, where it disturbs no other.
  ///
  /// - Returns: nil in that process: then the test is to be done.
  public static func runAlone(_ suite: String) throws -> Result? {
    let variable = "KEMON_ALONE"
    if ProcessInfo.processInfo.environment[variable] == suite { return nil }
    return try Command(path: "/proc/self/exe")
      .run(
        ["--testing-library", "swift-testing", "--filter", suite], environment: [variable: suite])
  }

  /// Whether the system has a program of that name in PATH.
  public static func exists(_ name: String) -> Bool { Command(name) != nil }

  /// Runs the program.
  ///
  /// Not through Foundation's Process: its children inherit a mask that blocks SIGCHLD, and CMake waits for ever.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - environment: added to that of the tests.
  ///   - input: what the program reads; nil for nothing.
  ///   - output: the file that is its standard output; nil for one of its own.
  public func run(
    _ arguments: [String], environment: [String: String] = [:], input: String? = nil,
    output: String? = nil
  ) throws -> Result {
    let scratch = try ScratchFolder()
    let files = (output: output ?? scratch.file("output"), errors: scratch.file("errors"))
    let source = try input.map { try scratch.write($0, to: "input") } ?? "/dev/null"
    let child = try start([path] + arguments, environment, source, files.output, files.errors)
    var end: Int32 = 0
    while waitpid(child, &end, 0) != child {
      guard errno == EINTR else { throw Failure(errno) }
    }
    let read = { (file: String) in
      String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    }
    return Result(
      status: end & 0x7F == 0 ? (end >> 8) & 0xFF : 128 + (end & 0x7F),
      output: output == nil ? read(files.output) : "", errors: read(files.errors))
  }

  private func start(
    _ arguments: [String], _ environment: [String: String], _ input: String, _ output: String,
    _ errors: String
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    let create = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, create, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, create, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var nothing = sigset_t()
    sigemptyset(&nothing)
    posix_spawnattr_setsigmask(&attributes, &nothing)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var child: pid_t = 0
    let status = withCStrings(arguments) { arguments in
      withCStrings(variables.map { "\($0)=\($1)" }) { variables in
        posix_spawn(&child, path, &actions, &attributes, arguments, variables)
      }
    }
    guard status == 0 else { throw Failure(status) }
    return child
  }
}

/// Calls the body with a list of C strings that a nil pointer ends.
private func withCStrings<Value>(
  _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
  let copies = texts.map { strdup($0) } + [nil]
  defer { for copy in copies { free(copy) } }
  return copies.withUnsafeBufferPointer { buffer in
    guard let list = buffer.baseAddress else { preconditionFailure("a list has its end") }
    return body(list)
  }
}
