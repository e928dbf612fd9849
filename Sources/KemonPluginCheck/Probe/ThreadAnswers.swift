// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPlatform

/// What an entry answered to several threads.
final class ThreadAnswers: Sendable {
  private let answers = PosixLock<[[UInt64]]>([])

  /// Asks, and keeps where the table is and its bytes.
  func add(_ library: OpenLibrary) {
    var answer: [UInt64] = []
    if case .table(let table) = library.ask(EntryQuestion()) {
      answer.append(UInt64(UInt(bitPattern: table)))
      let size = min(Int(table.pointee.size), 4096) / 8 * 8
      let bytes = UnsafeRawBufferPointer(start: table, count: size)
      answer += stride(from: 0, to: size, by: 8).map {
        bytes.load(fromByteOffset: $0, as: UInt64.self)
      }
    }
    answers.withLock { $0.append(answer) }
  }

  var all: [[UInt64]] { answers.withLock { $0 } }
}
