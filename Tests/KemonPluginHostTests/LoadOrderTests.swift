// SPDX-License-Identifier: Apache-2.0

import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct LoadOrderTests {
  private func manifest(
    _ name: String, needs: [String] = [], after: [String] = []
  ) -> PluginManifest {
    PluginManifest(
      name: name, version: "1.0.0", abi: 1, description: "", license: "", needs: needs,
      after: after, extensions: [])
  }

  @Test func `plugins without wishes are loaded by name`() {
    let order = LoadOrder(["c", "a", "b"].map { manifest($0) })
    #expect(order.order == ["a", "b", "c"])
    #expect(order.broken.isEmpty)
  }

  @Test func `what is needed or followed comes first`() {
    let order = LoadOrder([
      manifest("a", needs: ["z"]), manifest("b", after: ["a", "absent"]), manifest("z"),
    ])
    #expect(order.order == ["z", "a", "b"])
    #expect(order.broken.isEmpty)
  }

  @Test func `a missing need is named, and all that builds on it`() {
    let order = LoadOrder([
      manifest("a", needs: ["b"]), manifest("b", needs: ["absent"]), manifest("c"),
    ])
    #expect(order.order == ["c"])
    #expect(order.broken["b"]?.found == "\"absent\" is not there")
    #expect(order.broken["a"]?.found == "\"b\" cannot be loaded")
  }

  @Test func `a cycle is named, the others are loaded`() {
    let order = LoadOrder([
      manifest("a", needs: ["b"]), manifest("b", after: ["c"]), manifest("c", needs: ["a"]),
      manifest("d"), manifest("e", needs: ["a"]), manifest("f", after: ["a"]),
    ])
    #expect(order.order == ["d", "f"])
    for name in ["a", "b", "c"] {
      #expect(order.broken[name]?.rule.id == "plugin.cycle")
      #expect(order.broken[name]?.found == "a → b → c → a")
    }
    #expect(order.broken["e"]?.rule.id == "plugin.needs")
  }

  @Test func `what is loaded already satisfies a need`() {
    let order = LoadOrder([manifest("a", needs: ["old"])], loaded: ["old"])
    #expect(order.order == ["a"])
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `every order keeps every wish`(seed: UInt64) {
    var generator = SeededRandom(seed: seed)
    let names = (0..<12).map { "p\($0)" }
    let manifests = names.map { name in
      manifest(
        name,
        needs: names.filter { $0 != name && Int.random(in: 0..<12, using: &generator) == 0 },
        after: names.filter { $0 != name && Int.random(in: 0..<12, using: &generator) == 0 })
    }
    let order = LoadOrder(manifests.shuffled(using: &generator))
    #expect(order.order == LoadOrder(manifests).order, "the order of finding does not matter")
    #expect(Set(order.order).union(order.broken.keys) == Set(names))
    #expect(Set(order.order).isDisjoint(with: order.broken.keys))
    for (index, name) in order.order.enumerated() {
      let before = Set(order.order[..<index])
      let wishes = manifests.first { $0.name == name }
      #expect(wishes?.needs.allSatisfy(before.contains) == true)
      for other in wishes?.after ?? [] where order.order.contains(other) {
        #expect(before.contains(other))
      }
    }
  }
}
