// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonFakeHost
import KemonPlatform
import Testing

@Suite struct FakeHostTests {
  @Test func `a plugin's threads ask for names at a time, and each keeps its pointer`() throws {
    let host = FakeHost()
    for id in 0..<300 { host.pluginNames[UInt32(id)] = "plugin \(id)" }
    let table = UInt(bitPattern: host.table)
    let seen = PosixLock<[[UInt]]>([])
    let threads = (0..<4).map { number in
      WorkerThread(named: "asks \(number)") {
        guard let table = UnsafePointer<kemon_host>(bitPattern: table),
          let names = table.pointee.ext(table, KEMON_EXT_NAMES)?
            .assumingMemoryBound(to: kemon_ext_names.self)
        else { return }
        let texts = (0..<300).map { UInt(bitPattern: names.pointee.plugin(table, UInt32($0))) }
        seen.withLock { $0.append(texts) }
      }
    }
    for thread in threads { thread.join() }
    let lists = seen.withLock { $0 }
    #expect(lists.count == 4 && Set(lists).count == 1)
    let address = try #require(lists.first?.last)
    let text = try #require(UnsafePointer<CChar>(bitPattern: address))
    #expect(String(cString: text) == "plugin 299")
  }
}
