// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Frida in a process of its own, asked line by line (see frida_driver.py).
final class FridaPeer {
  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private var rest = Data()
  /// Of the frida package.
  private(set) var version = ""

  /// Starts the driver; throws when frida is not there.
  init(python: String, driver: String, loop: String, library: String) throws {
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [driver, loop, library]
    process.standardInput = requests
    process.standardOutput = answers
    try process.run()
    let words = try readLine().split(separator: " ")
    guard words.first == "ready", let last = words.last else {
      throw BenchError("frida's driver does not answer; is the package frida installed?")
    }
    version = String(last)
  }

  /// Asks for one thing and returns the numbers of the answer.
  func ask(_ request: String) throws -> [Double] {
    try requests.fileHandleForWriting.write(contentsOf: Data((request + "\n").utf8))
    return try readLine().split(separator: " ").compactMap { Double($0) }
  }

  func stop() {
    try? requests.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  private func readLine() throws -> String {
    while true {
      if let end = rest.firstIndex(of: 10) {
        let line = String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
        rest = Data(rest[rest.index(after: end)...])
        return line
      }
      let more = answers.fileHandleForReading.availableData
      guard !more.isEmpty else { throw BenchError("frida's driver has ended") }
      rest += more
    }
  }
}
