// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import Synchronization

@testable import KemonPluginKit

/// What a table of an extension was asked for: one for each suite that has a table, which is serialized.
final class Asked: Sendable {
  private let calls = Mutex<[String]>([])

  func note(_ call: String) { calls.withLock { $0.append(call) } }

  func take() -> [String] {
    calls.withLock { calls in
      defer { calls = [] }
      return calls
    }
  }
}

/// A table that is never freed.
func permanent<Table>(_ table: Table) -> UnsafeRawPointer {
  let pointer = UnsafeMutablePointer<Table>.allocate(capacity: 1)
  pointer.initialize(to: table)
  return UnsafeRawPointer(pointer)
}

/// An event of a file before it is opened.
func opening(_ path: String = "/x", pid: Int32 = 1) -> OwnedRecord {
  OwnedRecord(KEMON_KIND_FILE_OPEN_PRE, by: Actor(pid: pid, "x")) { builder in
    let path = builder.text(path)
    builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: path))
  }
}

/// A class as the host sees it, whatever this process has exported.
func run(
  _ type: any KemonPlugin.Type, in host: FakeHost, create: UnsafePointer<kemon_create>? = nil
) throws -> PluginInstance {
  try PluginInstance(type, host: host.table, create: create)
}
