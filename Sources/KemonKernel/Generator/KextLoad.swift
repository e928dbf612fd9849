// SPDX-License-Identifier: Apache-2.0

/// Kexts: a driver comes, and goes.
struct KextLoad: LoadPart {
  static let name = "kext"
  static let share = 4

  private let kexts: Kexts
  private let kextd: Session.Process
  private let id: String
  private var isLoaded = false

  init?(on model: KernelModel, thread: Int) {
    kexts = model.kexts
    kextd = model.processes.adopt(LoadProcess.kextd).identity
    id = Self.identifier(thread)
  }

  mutating func perform(_ random: inout LoadRandom) -> Bool {
    Lane.current.process = kextd
    let wasLoaded = isLoaded
    let result = kexts.request { loader in
      wasLoaded ? loader.requestRemoval(id) : loader.request(id)
    }
    if result == .success { isLoaded.toggle() }
    return result == .success
  }

  private static func identifier(_ thread: Int) -> String { "com.example.load\(thread)" }

  /// The drivers of a load: one for each thread.
  static func kexts(_ threads: Int) -> [Session.Kext] {
    (0..<threads).map { thread in
      let id = identifier(thread)
      return Session.Kext(
        id: id, path: "/Library/Extensions/\(id).kext",
        base: Session.Kext.firstBase + UInt64(thread) * 0x10000, size: 0x8000)
    }
  }
}

extension Session.Kext {
  /// A driver without anything special about it.
  fileprivate init(id: String, path: String, base: UInt64, size: UInt64) {
    guard let version = KextVersion(parsing: "1.0") else { preconditionFailure("1.0 is a version") }
    self.init(
      id: id, version: version, path: path, base: base, size: size, start: base, status: 0,
      constructorStatus: 0, stopStatus: 0, isExecutable: true, isExcluded: false,
      isForSafeBoot: false, hasServices: false, hasInstances: false, link: .ok, libraries: [])
  }
}
