// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonEvents
import Testing

@testable import KemonKernel

/// Signatures of images: asked about when they are given to the kernel, checked page by page when pages are used.
@Suite struct CodeSigningTests {
  private static let path = "/usr/local/lib/libx.dylib"

  private func machine(
    program flags: UInt32, isTampered: Bool = true, policies: ProcessPolicies = .none
  ) throws -> (ProcessMachine, LoadedImage) {
    let machine = try ProcessMachine(policies: policies)
    try machine.add(ImageDescription(signing: flags), at: "/bin/signed")
    try machine.add(
      ImageDescription(kind: .library, isFat: true, signing: 0, isTampered: isTampered),
      at: Self.path)
    try machine.processes.execute("/bin/signed", [], as: machine.bash)
    #expect(machine.bash.signingFlags == flags | KERNEL_CS_VALID)
    _ = machine.seen()
    let image = try Dyld(machine.processes).load(Self.path, in: machine.bash)
    return (machine, image)
  }

  private static let uses: [(UInt32, PageUse, Int32)] = [
    (0, .tainted, 0), (KERNEL_CS_HARD, .refused, 1), (KERNEL_CS_KILL, .killed, 2),
    (KERNEL_CS_KILL | KERNEL_CS_HARD, .killed, 2),
  ]

  @Test(arguments: uses)
  func `a page that is not what was signed is found when it is used, not when it is mapped`(
    _ flags: UInt32, _ use: PageUse, _ action: Int32
  ) throws {
    let (machine, image) = try machine(program: flags)
    #expect(machine.seen().map(\.kind) == ["dylib.map"], "mapping it went well")
    let code = try #require(image.segments.first)
    #expect(try machine.processes.touch(code, in: machine.bash) == .good, "the first page is whole")
    #expect(try machine.processes.touch(code + 4096, in: machine.bash) == use)
    let seen = machine.seen()
    #expect(seen.first?.description == "notify dylib.invalid \(Self.path)")
    #expect(seen.first?.number == action)
    #expect(seen.first?.other == 12288, "the second page of the slice of the fat file")
    switch use {
    case .killed:
      #expect(machine.bash.end == .invalidPage)
      #expect(seen.map(\.kind) == ["dylib.invalid", "process.exit"])
    case .tainted: #expect(machine.bash.signingFlags & KERNEL_CS_VALID == 0)
    default: #expect(machine.bash.signingFlags & KERNEL_CS_VALID != 0 && machine.bash.isAlive)
    }
  }

  @Test func `pages that are whole, data, and what nobody signed are no matter`() throws {
    let (machine, image) = try machine(program: KERNEL_CS_KILL, isTampered: false)
    for segment in image.segments {
      #expect(try machine.processes.touch(segment, in: machine.bash) == .good)
    }
    try machine.add(
      ImageDescription(kind: .library, isTampered: true), at: "/usr/lib/unsigned.dylib")
    let other = try Dyld(machine.processes).load("/usr/lib/unsigned.dylib", in: machine.bash)
    #expect(try machine.processes.touch(other.segments[0] + 4096, in: machine.bash) == .good)
    #expect(throws: DarwinErrno.EFAULT) { try machine.processes.touch(0x10, in: machine.bash) }
  }

  @Test func `the signature that counts is the one that was given to the kernel`() throws {
    let (machine, image) = try machine(program: 0, isTampered: false)
    // Somebody writes over the library, its header and its signature included, after it was loaded.
    let file = try machine.files.open(Self.path, .write, as: machine.launchd.context)
    let junk = [UInt8](repeating: 0x90, count: 4 * 4096)
    try junk.withUnsafeBytes { try machine.files.write($0, to: file, as: machine.launchd.context) }
    #expect(try machine.processes.touch(image.segments[0], in: machine.bash) == .tainted)
  }

  private func policies(_ refused: String, _ error: Int32) -> ProcessPolicies {
    ProcessPolicies(
      mask: .max, ask: { ProcessPolicies.names[$0] == refused && $1.count > 0 ? error : 0 })
  }

  @Test func `of a policy's answers to a signature two count`() throws {
    for (error, isLoaded) in [(Int32(1), false), (85, false), (13, true), (22, true)] {
      let machine = try ProcessMachine(
        policies: policies("mpo_vnode_check_signature", error))
      try machine.add(ImageDescription(kind: .library, signing: 0), at: Self.path)
      let image = try? Dyld(machine.processes).load(Self.path, in: machine.bash)
      #expect((image != nil) == isLoaded)
    }
  }

  @Test func `library validation is for processes that ask for it`() throws {
    let policies = policies("mpo_file_check_library_validation", 1)
    _ = try machine(program: 0, policies: policies)
    let error = try #require(throws: DyldError.self) {
      _ = try machine(program: KERNEL_CS_REQUIRE_LV, policies: policies)
    }
    #expect(error.error == .EPERM && error.reason == "library validation failed")
  }

  @Test func `a policy at mmap refuses it like a plugin`() throws {
    let error = try #require(throws: DyldError.self) {
      _ = try machine(program: 0, policies: policies("mpo_file_check_mmap", 13))
    }
    #expect(error.error == .EACCES)
  }

  @Test func `a code directory is read as it was written, and nothing else is one`() throws {
    let pages = (0..<3 * 4096).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let signature = CodeSignature(flags: 0x300, pages: pages[...])
    let bytes = signature.bytes
    let read = try #require(CodeSignature(MachOBytes(bytes, file: "")))
    #expect(read.flags == 0x300 && read.signedSize == 3 * 4096)
    #expect(read.covers(page: 1, pages[4096..<8192]))
    #expect(!read.covers(page: 0, pages[4096..<8192]) && !read.covers(page: 3, pages[..<4096]))
    for length in 0..<bytes.count {
      #expect(CodeSignature(MachOBytes(Array(bytes.prefix(length)), file: "")) == nil)
    }
    for place in [0, 28, 36, 37] {
      var broken = bytes
      broken[place] = 0xFF
      #expect(CodeSignature(MachOBytes(broken, file: "")) == nil)
    }
  }
}
