// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// The LMAX Disruptor: a Java program that is asked for one round after the other and sleeps in between.
final class DisruptorContestant: Contestant {
  let name = "LMAX Disruptor"
  let broadcasts = true
  let warmUpRounds = 12
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let cpus: Int
  private var unread = Data()

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - classes: the folder of its compiled classes.
  ///   - sizes: a file with the sizes of a mix.
  init(classes: String, library: String, sizes: String, cpus: Int) throws {
    self.cpus = cpus
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "java", "-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-cp", "\(classes):\(library)",
      "DisruptorPeer", sizes,
    ]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  func takesPart(in workload: Workload) -> Bool { command(workload.topology) != nil }

  private func command(_ topology: Topology) -> String? {
    switch topology {
    case .oneToOne, .oneToThree, .twoToOne: "throughput"
    case .pingPongVerdict: "ping_pong"
    case .fixedRate: "fixed_rate"
    case .dispatch, .publishOnly: nil
    }
  }

  func run(_ workload: Workload) throws(RoundError) -> Figure {
    let command = command(workload.topology) ?? ""
    let words = [
      workload.size, workload.producers, workload.subscribers, workload.events, 1_000, cpus,
    ]
    let request = "\(command) \(words.map(String.init).joined(separator: " "))\n"
    do {
      try input.fileHandleForWriting.write(contentsOf: Data(request.utf8))
    } catch {
      throw RoundError(description: "the Java peer has ended: \(error)")
    }
    let answer = try readLine().split(separator: " ")
    guard answer.count == 4, let total = Double(answer[0]), let p50 = Double(answer[1]),
      let p99 = Double(answer[2]), answer[3] == "true"
    else { throw RoundError(description: "the Java peer said '\(answer)' to '\(request)'") }
    return workload.figure(total: total, p50: p50, p99: p99)
  }

  private func readLine() throws(RoundError) -> String {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread = Data(unread[unread.index(after: end)...])
        return line
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw RoundError(description: "the Java peer has ended") }
      unread.append(more)
    }
  }
}
