// SPDX-License-Identifier: Apache-2.0

/// Libraries: a process loads one, uses it, and lets it go.
struct DylibLoad: LoadPart {
  static let name = "dylib"
  static let share = 12

  private let processes: Processes
  private let process: ModelProcess
  private let libraries: [String]

  init?(on model: KernelModel, thread: Int) {
    processes = model.processes
    process = model.processes.adopt(LoadProcess.user(0, thread: thread))
    libraries = (0..<4).map { "/usr/local/lib/libload\(thread)-\($0).dylib" }
    for (number, path) in libraries.enumerated() {
      let image = ImageDescription(
        kind: .library, isFat: number == 0, signing: number == 1 ? 0 : nil)
      let entry = TreeEntry(
        type: .regular, mode: 0o755, user: 0, group: 0, contents: image.bytes)
      guard (try? model.files.place(entry, at: path)) != nil else { return nil }
    }
  }

  mutating func perform(_ random: inout LoadRandom) -> Bool {
    let dyld = Dyld(processes)
    let path = libraries[random.below(libraries.count)]
    guard let image = try? dyld.load(path, in: process) else { return false }
    defer { dyld.unload(image, from: process) }
    guard let code = image.segments.first else { return false }
    return (try? processes.touch(code, in: process)) == .good
  }
}
