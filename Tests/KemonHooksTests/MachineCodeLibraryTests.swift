// SPDX-License-Identifier: Apache-2.0

import CCapstone
import Glibc
import Testing

@testable import KemonHooks

/// Lengths against the disassembler library, on all code of libraries that every system has.
@Suite struct MachineCodeLibraryTests {
  @Test(arguments: ["libc.so.6", "libm.so.6", "libcapstone.so.4", "libswiftCore.so"])
  func `every instruction of a library has the length that Capstone finds`(_ name: String) throws {
    guard let handle = dlopen(name, RTLD_LAZY) else { return }
    defer { dlclose(handle) }
    let map = try MemoryMap()
    var capstone: csh = 0
    try #require(cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) == CS_ERR_OK)
    defer { cs_close(&capstone) }
    let scratch = try #require(cs_malloc(capstone))
    defer { cs_free(scratch, 1) }
    var functions = 0
    var count = 0
    var differing: [String] = []
    for region in map.regions
    where region.isExecutable && !region.isWritable && region.name.contains(name) {
      var address = region.range.lowerBound
      while address < region.range.upperBound {
        guard let pointer = UnsafeRawPointer(bitPattern: address),
          let extent = FunctionExtent(containing: pointer), extent.range.upperBound > address
        else {
          address += 1
          continue
        }
        functions += 1
        // What both decode must have the same length; where one gives up, the other goes on alone.
        let code = UnsafeRawBufferPointer(
          start: UnsafeRawPointer(bitPattern: extent.start), count: extent.size)
        var offset = Int(address - extent.start)
        while offset < code.count {
          let rest = UnsafeRawBufferPointer(rebasing: code[offset...])
          guard let form = MachineCode(rest) else {
            // Data between the instructions of hand-written code.
            break
          }
          count += 1
          let found = Self.length(capstone, scratch, rest)
          if let found, found != form.length, !Self.isMistaken(rest) {
            let bytes = rest.prefix(12).map { String($0, radix: 16) }.joined(separator: " ")
            differing.append("\(bytes): \(form.length), Capstone \(found)")
          }
          offset += form.length
        }
        address = extent.range.upperBound
      }
    }
    #expect(differing.isEmpty, "\(differing.prefix(5))")
    #expect(functions > 100 && count > 10_000)
  }

  private static func length(
    _ capstone: csh, _ scratch: UnsafeMutablePointer<cs_insn>, _ code: UnsafeRawBufferPointer
  ) -> Int? {
    var next = code.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var left = code.count
    var position: UInt64 = 0
    guard cs_disasm_iter(capstone, &next, &left, &position, scratch) else { return nil }
    return Int(scratch.pointee.size)
  }

  /// Near branches with an operand size prefix, whose length Capstone 4 gets wrong.
  private static func isMistaken(_ code: UnsafeRawBufferPointer) -> Bool {
    code.prefix(3).contains(0x66) && code.prefix(5).contains { $0 == 0xE8 || $0 == 0xE9 }
  }
}
