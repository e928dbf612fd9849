// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonEvents
import KemonPlatform
import Testing

@testable import KemonKernel

/// The row "Dylib" of the feature table: an event for a mapping of code, a denial fails it, a path never does.
@Suite struct DylibTests {
  private static let path = "/usr/local/lib/libx.dylib"

  private func machine(
    _ plugin: ProcessPlugin = ProcessPlugin(), _ image: ImageDescription? = nil,
    policies: ProcessPolicies = .none
  ) throws -> ProcessMachine {
    let machine = try ProcessMachine(plugin, policies: policies)
    try machine.add(image ?? ImageDescription(kind: .library), at: Self.path)
    return machine
  }

  private func mappings(_ process: ModelProcess) -> [String] {
    process.withState { $0.memory.mappings.map { "\($0.offset) \($0.size) \($0.protection)" } }
  }

  @Test func `Dylib: the code segment of a library is an event, with protection and flags`() throws
  {
    let machine = try machine()
    let image = try Dyld(machine.processes).load(Self.path, in: machine.bash)
    #expect(image.segments.count == 3 && !image.isCached)
    #expect(mappings(machine.bash) == ["0 8192 5", "8192 4096 3", "12288 4096 1"])
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["pre dylib.map \(Self.path)"])
    #expect(seen[0].number == 5 && seen[0].other == 0x12 && seen[0].pid == 501)
    // A second time it is there already.
    #expect(try Dyld(machine.processes).load("libx.dylib", in: machine.bash) == image)
    #expect(machine.seen() == [])
    #expect(machine.bash.context.openFiles == 0)
  }

  @Test func `a denied mapping fails, and nothing of the image stays`() throws {
    let machine = try machine(ProcessPlugin(denied: ["dylib.map \(Self.path)": 1]))
    let error = try #require(throws: DyldError.self) {
      try Dyld(machine.processes).load(Self.path, in: machine.bash)
    }
    #expect(error.error == .EPERM && error.reason == "mmap of __TEXT failed")
    #expect(mappings(machine.bash) == [])
    #expect(machine.bash.withState { $0.memory.images } == [])
    #expect(machine.bash.isAlive && machine.bash.context.openFiles == 0)
  }

  @Test func `a library that another one needs takes it along when it is denied`() throws {
    let machine = try machine(
      ProcessPlugin(denied: ["dylib.map \(Self.path)": 13]))
    try machine.add(
      ImageDescription(kind: .library, libraries: [Self.path], isFat: true), at: "/usr/lib/a.dylib")
    let error = try #require(throws: DyldError.self) {
      try Dyld(machine.processes).load("/usr/lib/a.dylib", in: machine.bash)
    }
    #expect(error.path == Self.path && error.error == .EACCES)
    #expect(mappings(machine.bash) == [])
    #expect(machine.seen().map(\.path) == ["/usr/lib/a.dylib", Self.path])
  }

  @Test func `libraries that need each other are loaded, chains without end are not`() throws {
    let machine = try machine(
      ProcessPlugin(), ImageDescription(kind: .library, libraries: [Self.path]))
    #expect(try Dyld(machine.processes).load(Self.path, in: machine.bash).path == Self.path)
    for number in 0...100 {
      try machine.add(
        ImageDescription(kind: .library, libraries: ["/lib/\(number + 1)"]), at: "/lib/\(number)")
    }
    let before = mappings(machine.bash)
    let error = try #require(throws: DyldError.self) {
      try Dyld(machine.processes).load("/lib/0", in: machine.bash)
    }
    #expect(error.path == "/lib/100" && error.reason.contains("more than 100 libraries"))
    #expect(mappings(machine.bash) == before)
  }

  @Test func `images of the shared cache produce nothing`() throws {
    let machine = try machine()
    machine.processes.sharedCache = ["/usr/lib/libSystem.B.dylib"]
    let image = try Dyld(machine.processes).load("libSystem.B.dylib", in: machine.bash)
    #expect(image.isCached && image.path == "/usr/lib/libSystem.B.dylib")
    #expect(mappings(machine.bash) == [])
    #expect(machine.seen() == [])
  }

  @Test func `a path that cannot be had is absent, and never denies`() throws {
    let machine = try machine()
    let context = machine.bash.context
    let descriptor = try machine.files.open(Self.path, .read, as: context)
    try machine.files.unlink(Self.path, as: machine.launchd.context)
    let file = try context.descriptors.withLock { try $0.file(descriptor) }
    _ = try machine.processes.map(
      file, offset: 0, size: 4096, protection: KERNEL_PROT_READ | KERNEL_PROT_EXEC,
      flags: KERNEL_MAP_PRIVATE, in: machine.bash)
    #expect(mappings(machine.bash) == ["0 4096 5"])
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["pre dylib.map"])
    #expect(!seen[0].isCut)
  }

  @Test func `what is no code, and no private mapping, is no event`() throws {
    let machine = try machine()
    let descriptor = try machine.files.open(Self.path, .read, as: machine.bash.context)
    let file = try machine.bash.context.descriptors.withLock { try $0.file(descriptor) }
    for (protection, flags) in [
      (KERNEL_PROT_READ, KERNEL_MAP_PRIVATE),
      (KERNEL_PROT_READ | KERNEL_PROT_EXEC, KERNEL_MAP_SHARED),
    ] {
      _ = try machine.processes.map(
        file, offset: 0, size: 1, protection: protection, flags: flags, in: machine.bash)
    }
    #expect(machine.seen() == [])
    for (offset, size, protection, error) in [
      (1, 4096, KERNEL_PROT_READ, .EINVAL), (0, 0, KERNEL_PROT_READ, .EINVAL),
      (0, 4096, KERNEL_PROT_WRITE, .EACCES),
    ] as [(UInt64, UInt64, Int32, DarwinErrno)] {
      #expect(throws: error) {
        try machine.processes.map(
          file, offset: offset, size: size, protection: protection, flags: KERNEL_MAP_SHARED,
          in: machine.bash)
      }
    }
  }

  @Test func `what is not a library is not loaded`() throws {
    let machine = try machine()
    try machine.add("no image", at: "/tmp/text")
    for (path, error) in [
      ("/usr/lib/none.dylib", DarwinErrno.ENOENT), ("none.dylib", .ENOENT), ("/bin/ls", nil),
      ("/tmp/text", nil),
    ] {
      let thrown = try #require(throws: DyldError.self) {
        try Dyld(machine.processes).load(path, in: machine.bash)
      }
      #expect(thrown.error == error)
      #expect(machine.bash.context.openFiles == 0)
    }
    #expect(machine.seen() == [])
  }

  @Test func `a broken library is refused wherever it breaks`() throws {
    let machine = try machine()
    let whole = ImageDescription(
      kind: .library, libraries: ["/usr/lib/a.dylib"], isFat: true, signing: 0
    ).bytes
    var random = LoadRandom(seed: 11)
    for round in 0..<2000 {
      var bytes = whole
      if round % 4 == 0 { bytes.removeLast(1 + random.below(bytes.count - 1)) }
      for _ in 0..<1 + random.below(4) {
        let place = [random.below(64), 8192 + random.below(512)][random.below(2)]
        if bytes.indices.contains(place) { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
      }
      try machine.files.place(
        TreeEntry(type: .regular, mode: 0o755, user: 0, group: 0, contents: bytes), at: Self.path)
      let before = mappings(machine.bash)
      let dyld = Dyld(machine.processes)
      if let image = try? dyld.load(Self.path, in: machine.bash) {
        dyld.unload(image, from: machine.bash)
      }
      #expect(mappings(machine.bash) == before)
      try? machine.processes.execute(Self.path, [], as: machine.mallory)
    }
    #expect(machine.bash.isAlive)
  }

  @Test func `a program is started with its libraries, or dyld ends it`() throws {
    let machine = try machine()
    try machine.add(ImageDescription(libraries: [Self.path]), at: "/bin/good")
    try machine.add(ImageDescription(libraries: ["/none"]), at: "/bin/bad")
    try machine.processes.execute("/bin/good", [], as: machine.bash)
    try Dyld(machine.processes).launch(machine.bash)
    #expect(machine.bash.withState { $0.memory.images.map(\.path) } == [Self.path])
    try machine.processes.execute("/bin/bad", [], as: machine.mallory)
    #expect(throws: DyldError.self) { try Dyld(machine.processes).launch(machine.mallory) }
    #expect(machine.mallory.end?.signal == 6)
  }
}
