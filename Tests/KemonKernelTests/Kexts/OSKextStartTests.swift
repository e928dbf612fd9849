// SPDX-License-Identifier: Apache-2.0

import KemonHooks
import Testing

@testable import KemonKernel

@Suite struct OSKextStartTests {
  @Test(arguments: KernelRelease.all)
  func `the function and its call are found in every release`(_ release: KernelRelease) throws {
    let start = try OSKextStart(release)
    #expect(start.callSite > start.function)
    #expect(start.callSite < start.function + UInt(start.size))
    let other = try OSKextStart(release)
    #expect(other.callSite == start.callSite)
  }

  @Test func `each release of the table has a name of its own, and is found by it`() {
    #expect(Set(KernelRelease.all.map(\.name)).count == KernelRelease.all.count)
    for release in KernelRelease.all { #expect(KernelRelease.named(release.name) == release) }
    #expect(KernelRelease.named("10.4") == nil)
    #expect(Set(KernelRelease.all.map(\.callShape)) == Set(KernelRelease.CallShape.allCases))
    #expect(KernelRelease.all.map(\.darwinMajor) == KernelRelease.all.map(\.darwinMajor).sorted())
  }

  @Test func `the code in front of the call is that of the talk's listing`() throws {
    // A hook of another suite changes the call and the function's beginning only.
    let release = try #require(KernelRelease.named("10.13.6-development"))
    let start = try OSKextStart(release)
    let before: [UInt8] = [
      0x4C, 0x8B, 0x65, 0xC0, 0x49, 0x8B, 0x7F, 0x48, 0x4C, 0x89, 0xE6,
    ]
    let code = try #require(UnsafeRawPointer(bitPattern: start.callSite - UInt(before.count)))
    #expect(Array(UnsafeRawBufferPointer(start: code, count: before.count)) == before)
  }

  @Test(
    arguments: [
      ([0xFF, 0xD3, 0x89, 0xC3, 0x85, 0xDB, 0xC3], 1, "call rbx"),
      ([0xFF, 0xD1, 0x89, 0xC3, 0x85, 0xDB, 0xC3], 1, "call rcx"),
      ([0xFF, 0x55, 0xB0, 0x89, 0xC3, 0x85, 0xDB, 0xC3], 1, "call [rbp-0x50]"),
      ([0xFF, 0x55, 0xC8, 0x41, 0x89, 0xC6, 0xC3], 1, "call [rbp-0x38]"),
      ([0xFF, 0xD3, 0x41, 0x89, 0xC6, 0xC3], 0, "a register call with the other follower"),
      ([0xFF, 0xD3, 0x89, 0xC3, 0xC3], 0, "no test"),
      ([0xFF, 0x13, 0x89, 0xC3, 0x85, 0xDB, 0xC3], 0, "call [rbx]"),
      ([0xC3], 0, "no call"),
      (
        [0xFF, 0xD3, 0x89, 0xC3, 0x85, 0xDB, 0xFF, 0xD3, 0x89, 0xC3, 0x85, 0xDB, 0xC3], 2, "two"
      ),
    ] as [([UInt8], Int, String)])
  func `only the known shapes count, and exactly one is accepted`(
    _ code: [UInt8], _ count: Int, _ what: String
  ) throws {
    try code.withUnsafeBytes { code in
      #expect(try OSKextStart.callSites(in: code, at: 0x1000).count == count, "\(what)")
      if count == 1 {
        #expect(throws: Never.self) { try OSKextStart(name: "f", code: code) }
      } else {
        let error = try #require(throws: KernelError.self) {
          try OSKextStart(name: "f", code: code)
        }
        #expect(error.code == .unknownFunction)
        #expect(error.message.contains("needed is one"))
      }
    }
  }

  @Test func `code that is no code is refused`() throws {
    let bytes: [UInt8] = [0x06, 0x06]
    let error = try #require(throws: KernelError.self) {
      try bytes.withUnsafeBytes { code throws(KernelError) in
        try OSKextStart(name: "f", code: code)
      }
    }
    #expect(error.underlying?.code == .undecodable)
  }
}
