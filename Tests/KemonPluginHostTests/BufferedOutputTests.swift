// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Testing

@testable import KemonPluginHost

@Suite struct BufferedOutputTests {
  /// Both ends of a pipe.
  private struct Channel {
    let reader: Int32
    let writer: Int32

    init() {
      var ends: [Int32] = [0, 0]
      let result = pipe(&ends)
      precondition(result == 0)
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      (reader, writer) = (ends[0], ends[1])
    }

    func readAll() -> String {
      var content: [UInt8] = []
      var block = [UInt8](repeating: 0, count: 65536)
      while true {
        let count = read(reader, &block, block.count)
        guard count > 0 else { break }
        content += block[..<count]
      }
      close(reader)
      return String(decoding: content, as: UTF8.self)
    }
  }

  @discardableResult
  private func write(
    _ text: String, to output: BufferedOutput, mayWait: Bool = false
  ) -> OutputResult {
    Array(text.utf8).withUnsafeBytes { output.write($0, mayWait: mayWait) }
  }

  @Test func `lines arrive in order, each with its end`() {
    let channel = Channel()
    let output = BufferedOutput(to: channel.writer)
    #expect(write("one", to: output) == .accepted)
    #expect(write("two\nthree\n", to: output) == .accepted)
    #expect(write("", to: output) == .accepted)
    output.close()
    close(channel.writer)
    #expect(channel.readAll() == "one\ntwo\nthree\n")
    #expect(
      output.account
        == OutputAccount(
          acceptedWrites: 2, acceptedBytes: 14, droppedWrites: 0, droppedBytes: 0, writtenBytes: 14)
    )
    #expect(write("late", to: output) == .closed)
    #expect(output.account.droppedWrites == 1)
  }

  @Test func `a line comes out without being asked for`() {
    let channel = Channel()
    let output = BufferedOutput(to: channel.writer)
    write("now\n", to: output)
    var request = pollfd(fd: channel.reader, events: Int16(POLLIN), revents: 0)
    #expect(poll(&request, 1, 5000) == 1)
    output.close()
    close(channel.writer)
    #expect(channel.readAll() == "now\n")
  }

  @Test func `flushing returns when everything is out`() {
    let channel = Channel()
    let output = BufferedOutput(to: channel.writer)
    for round in 1...50 {
      write("line \(round)\n", to: output)
      output.flush()
      #expect(output.account.writtenBytes == output.account.acceptedBytes)
    }
    output.close()
    close(channel.writer)
    #expect(channel.readAll().split(separator: "\n").count == 50)
  }

  @Test func `a full buffer drops what may not wait and counts it`() {
    let channel = Channel()
    let output = BufferedOutput(to: channel.writer, capacity: 4096)
    let line = String(repeating: "x", count: 1023) + "\n"
    var accepted = 0
    var full = 0
    // Nobody reads: the pipe takes 64 KiB, the two buffers 8 KiB.
    for _ in 0..<200 {
      switch write(line, to: output) {
      case .accepted: accepted += 1
      case .full:
        full += 1
        usleep(100)
      default: Issue.record("neither accepted nor full")
      }
    }
    #expect(full > 100)
    #expect(output.account.droppedWrites == UInt64(full))
    #expect(output.account.droppedBytes == UInt64(full * 1024))
    #expect(write(String(repeating: "y", count: 5000), to: output) == .tooLarge)
    #expect(write(String(repeating: "y", count: 5000), to: output, mayWait: true) == .tooLarge)
    let closer = WorkerThread(named: "closer") {
      output.close()
      close(channel.writer)
    }
    #expect(channel.readAll().utf8.count == accepted * 1024)
    closer.join()
    #expect(output.account.writtenBytes == UInt64(accepted * 1024))
  }

  @Test(.timeLimit(.minutes(1)))
  func `writers that may wait lose nothing`() {
    let channel = Channel()
    let output = BufferedOutput(to: channel.writer, capacity: 4096)
    let writers = (0..<4).map { writer in
      WorkerThread(named: "writer \(writer)") {
        for number in 0..<5000 {
          let result = write("\(writer) \(number)\n", to: output, mayWait: true)
          if result != .accepted { Issue.record("\(result)") }
        }
      }
    }
    let closer = WorkerThread(named: "closer") {
      for writer in writers { writer.join() }
      output.close()
      close(channel.writer)
    }
    let lines = channel.readAll().split(separator: "\n")
    closer.join()
    #expect(lines.count == 20_000)
    for writer in 0..<4 {
      let own = lines.filter { $0.hasPrefix("\(writer) ") }
      #expect(own == (0..<5000).map { "\(writer) \($0)" }.map { $0[...] })
    }
    #expect(output.account.droppedWrites == 0)
  }

  @Test(.timeLimit(.minutes(1)))
  func `a reader that has gone ends the output, not the process`() {
    let channel = Channel()
    close(channel.reader)
    let output = BufferedOutput(to: channel.writer, capacity: 4096)
    let writer = WorkerThread(named: "writer") {
      var result = OutputResult.accepted
      while result == .accepted { result = write("line\n", to: output, mayWait: true) }
      if result != .closed { Issue.record("\(result)") }
    }
    writer.join()
    #expect(output.failure == EPIPE)
    output.flush()
    output.close()
    close(channel.writer)
    let account = output.account
    #expect(account.writtenBytes == 0)
    #expect(account.droppedBytes == account.acceptedBytes + 5)
  }

  @Test func `a bench throws lines away and counts them`() {
    let output = BufferedOutput(to: nil)
    for _ in 0..<1000 { #expect(write("12345", to: output) == .accepted) }
    output.flush()
    output.close()
    #expect(output.account.acceptedWrites == 1000)
    #expect(output.account.writtenBytes == 6000)
  }

  @Test func `a log line stays one line and moves no cursor`() {
    let channel = Channel()
    let log = DescriptorLog(to: channel.writer, threshold: .warn)
    log.log(.warn, source: "guard", "a\nb\u{1b}[2Jc é")
    log.log(.info, source: "guard", "not important enough")
    log.log(.error, source: "guard", String(repeating: "z", count: 5000))
    log.close()
    close(channel.writer)
    let lines = channel.readAll().split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0] == "kemon-host: warn: guard: a\\x0ab\\x1b[2Jc é")
    #expect(lines[1].hasSuffix("zzz … (cut)"))
    #expect(log.droppedLines == 0)
  }
}
