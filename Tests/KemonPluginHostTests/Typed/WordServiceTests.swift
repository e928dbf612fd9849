// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonPluginHost

/// Functions that are offered in the form of words, for languages that cannot make functions of any type.
@Suite struct WordServiceTests {
  @Test func `a function of words is called like any other`() throws {
    let function: kemon_words_service_fn = { context, words, result in
      guard let words, let bytes = UnsafePointer<UInt8>(bitPattern: UInt(words[0])) else { return }
      let factor = UnsafePointer<Int16>(bitPattern: UInt(words[3]))?.pointee ?? 1
      let sum = UnsafeBufferPointer(start: bytes, count: Int(words[1])).reduce(0) { $0 + Int($1) }
      let value = Double(sum) * Double(bitPattern: words[2]) * Double(factor)
      result?.storeBytes(of: value, as: Double.self)
      context?.storeBytes(of: value, as: Double.self)
    }
    let last = UnsafeMutablePointer<Double>.allocate(capacity: 1)
    last.initialize(to: 0)
    defer { last.deallocate() }
    let registry = ServiceRegistry()
    try registry.provide(
      Service(
        "s", try TypedSignature(parsing: "[path:b scale:d factor?:*h] -> d"), owner: 1, pluginID: 1,
        ownerName: "p", function: unsafeBitCast(function, to: UnsafeRawPointer.self), context: last)
    )
    // The caller's order is its own.
    let binding = try registry.bind(
      "s", as: TypedSignature(parsing: "factor?:*h scale:d path:b -> d"))
    var (scale, factor, result) = (0.5, Int16(-2), 0.0)
    "ab".withCString { text in
      withUnsafeMutablePointer(to: &factor) { factor in
        var (span, address) = (kemon_span(data: text, size: 2), factor)
        withUnsafeMutablePointer(to: &span) { span in
          withUnsafeMutablePointer(to: &scale) { scale in
            withUnsafeMutablePointer(to: &address) { address in
              #expect(
                binding.call([.init(address), .init(scale), .init(span)], &result) == KEMON_OK)
              #expect(result == -195 && last.pointee == -195)
              #expect(binding.call([nil, .init(scale), .init(span)], nil) == KEMON_OK)
              #expect(last.pointee == 97.5, "it has room for its result, the caller has none")
            }
          }
        }
      }
    }
  }
}
