// SPDX-License-Identifier: Apache-2.0

/// Files: mostly opened, read and closed, now and then made, written, renamed, linked and deleted.
struct FileLoad: LoadPart {
  static let name = "file"
  static let share = 930

  private let files: FileSystem
  private let processes: [ProcessContext]
  private let folder: String
  /// Paths that are there.
  private var paths: [String] = []
  private var lastNumber = 0

  /// As many paths as a thread keeps.
  private static let most = 64

  init?(on model: KernelModel, thread: Int) {
    files = model.files
    processes = (0..<LoadProcess.count).map { number in
      model.processes.adopt(LoadProcess.user(number, thread: thread)).context
    }
    folder = "/Users/Shared/load\(thread)"
    let root = model.processes.adopt(LoadProcess.kextd).context
    for path in ["/Users", "/Users/Shared", folder] {
      // The first two are everybody's: somebody else may have made them.
      try? files.makeDirectory(path, mode: 0o777, as: root)
      try? files.setMode(0o777, of: path, as: root)
    }
  }

  mutating func perform(_ random: inout LoadRandom) -> Bool {
    let process = processes[random.below(processes.count)]
    do throws(DarwinErrno) {
      switch random.below(100) {
      case _ where paths.count < 8, 84..<91: try make(process)
      case ..<70: try touch([.read], random.below(paths.count), process)
      case ..<84: try touch([.write, .append], random.below(paths.count), process)
      case ..<95: try rename(random.below(paths.count), process)
      case ..<97: try link(random.below(paths.count), process)
      default: try delete(random.below(paths.count), process)
      }
      return true
    } catch {
      return false
    }
  }

  private mutating func newPath() -> String {
    lastNumber += 1
    return "\(folder)/document\(lastNumber).txt"
  }

  private mutating func make(_ process: ProcessContext) throws(DarwinErrno) {
    if paths.count >= Self.most { try delete(0, process) }
    let path = newPath()
    let descriptor = try files.open(path, [.write, .create], mode: 0o666, as: process)
    paths.append(path)
    try files.write("generated", to: descriptor, as: process)
    try files.close(descriptor, as: process)
  }

  private func touch(
    _ flags: OpenFlags, _ index: Int, _ process: ProcessContext
  ) throws(DarwinErrno) {
    let descriptor = try files.open(paths[index], flags, as: process)
    if flags.contains(.write) {
      try files.write("+", to: descriptor, as: process)
    } else {
      _ = try files.read(16, from: descriptor, as: process)
    }
    try files.close(descriptor, as: process)
  }

  private mutating func rename(_ index: Int, _ process: ProcessContext) throws(DarwinErrno) {
    let path = newPath()
    try files.rename(paths[index], to: path, as: process)
    paths[index] = path
  }

  private mutating func link(_ index: Int, _ process: ProcessContext) throws(DarwinErrno) {
    if paths.count >= Self.most { return try delete(index, process) }
    let path = newPath()
    try files.link(paths[index], as: path, by: process)
    paths.append(path)
  }

  private mutating func delete(_ index: Int, _ process: ProcessContext) throws(DarwinErrno) {
    try files.unlink(paths[index], as: process)
    paths.remove(at: index)
  }
}
