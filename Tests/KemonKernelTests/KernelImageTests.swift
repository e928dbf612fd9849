// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import Testing

@Suite struct KernelImageTests {
  private func functions() -> [kernel_image_function] {
    var count = 0
    let rows = kernel_image_functions(&count)
    return Array(UnsafeBufferPointer(start: rows, count: count))
  }

  @Test(.enabled(if: isX86, "the kernel image has x86-64 code only"))
  func `the registry names every shape and layout`() {
    let starts = functions().filter { String(cString: $0.name).hasPrefix("OSKext_start_") }
    #expect(
      Set(starts.map { String(cString: $0.name) }) == [
        "OSKext_start_rbx_48", "OSKext_start_rbp50_48", "OSKext_start_rbp38_48",
        "OSKext_start_rbx_50", "OSKext_start_rbp50_50", "OSKext_start_rbp38_50",
      ])
    #expect(starts.count == 6)
    for function in starts {
      #expect((100...200).contains(function.size))
      let end = UnsafeRawBufferPointer(start: function.address, count: function.size).suffix(11)
      #expect(Array(end) == [0x5B, 0x41, 0x5C, 0x41, 0x5D, 0x41, 0x5E, 0x41, 0x5F, 0x5D, 0xC3])
    }
  }

  @Test(.enabled(if: isX86, "the kernel image has x86-64 code only"))
  func `the prologue has the bytes of the talk's listing`() throws {
    // With this layout and shape no release is hooked by other suites.
    let function = try #require(
      functions().first { String(cString: $0.name) == "OSKext_start_rbx_50" })
    let prologue: [UInt8] = [
      0x55, 0x48, 0x89, 0xE5, 0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x53, 0x48, 0x83,
      0xEC,
      0x28, 0x41, 0x89, 0xF6, 0x49, 0x89, 0xFF, 0x49, 0x8B, 0x07,
    ]
    let code = UnsafeRawBufferPointer(start: function.address, count: prologue.count)
    #expect(Array(code) == prologue)
  }

  @Test(.enabled(if: isX86, "the kernel image has x86-64 code only"))
  func `OSKext start calls the start routine and reports its status`() throws {
    let function = try #require(
      functions().first { String(cString: $0.name) == "OSKext_start_rbp50_50" })
    var layout = kernel_oskext_layout(kmod_info: 0x50, string_text: 16)
    var memory = kernel_kext_memory()
    var kext = kernel_oskext()
    var path = kernel_osstring()
    kernel_kmod_init(&memory.info, "a.b", "1.0", 0x1000, 0x2000)
    "/a.kext".withCString { text in
      withUnsafeMutablePointer(to: &memory) { memory in
        var facts = kernel_oskext_facts(
          memory: memory, dependencies: nil, dependency_count: 0, start: function.address,
          start_address: 0x1000, load_enabled: true)
        withUnsafeMutablePointer(to: &path) { path in
          kernel_oskext_init(&kext, &layout, &facts, path, text)
          #expect(kernel_oskext_path(&kext, &layout).map { String(cString: $0) } == "/a.kext")
          let notLoaded = kernel_image_call_oskext_start(function.address, &kext, true)
          #expect(UInt32(bitPattern: notLoaded) == 0xdc00_8005)
          kernel_oskext_set_loaded(&kext, true)
          #expect(kernel_image_call_oskext_start(function.address, &kext, true) == 0)
          #expect(kernel_oskext_started(&kext))
          memory.pointee.body.status = 9
          let failed = kernel_image_call_oskext_start(function.address, &kext, true)
          #expect(UInt32(bitPattern: failed) == 0xdc00_8017)
          #expect(!kernel_oskext_started(&kext))
          #expect(kernel_oskext_start_result(&kext) == 9)
          #expect(memory.pointee.body.started == 2)
          #expect(memory.pointee.body.constructed == 2)
          #expect(memory.pointee.body.destructed == 1)
        }
      }
    }
  }

  @Test func `long texts of a kmod_info are cut in front of the NUL`() {
    var info = kernel_kmod_info()
    kernel_kmod_init(&info, String(repeating: "n", count: 100), "1.0", 0, 0)
    withUnsafeBytes(of: info.name) { name in
      #expect(name.prefix { $0 != 0 }.count == 63)
    }
    withUnsafeBytes(of: info.version) { #expect(Array($0.prefix(4)) == [0x31, 0x2E, 0x30, 0]) }
  }
}

private var isX86: Bool {
  #if arch(x86_64)
    true
  #else
    false
  #endif
}
