// SPDX-License-Identifier: Apache-2.0

extension SessionDocument {
  /// Checks the parts against each other.
  ///
  /// - Throws: the first rule that is broken, with its place.
  func session(file: String) throws(SessionError) -> Session {
    let name = release ?? KernelRelease.macOS10_13_6.name
    guard let release = KernelRelease.named(name) else {
      let known = KernelRelease.all.map(\.name).joined(separator: ", ")
      throw SessionError(
        file: file, path: "release", "\"\(name)\" is not known; known are \(known)")
    }
    let kexts = self.kexts.map(\.kext)
    try check(kexts, file)
    let load = self.load ?? kexts.map(\.id)
    let known = Set(kexts.map(\.id))
    for (index, id) in load.enumerated() where !known.contains(id) {
      throw SessionError(
        file: file, path: "load[\(index)]", "\"\(id)\" is none of the session's kexts")
    }
    try refuseCycles(kexts, file)
    return Session(
      name: self.name, release: release, process: process.process, kexts: kexts, load: load)
  }

  private func check(_ kexts: [Session.Kext], _ file: String) throws(SessionError) {
    var seen: Set<String> = []
    for (index, kext) in kexts.enumerated() {
      func problem(_ member: String, _ message: String) -> SessionError {
        SessionError(file: file, path: "kexts[\(index)].\(member)", message)
      }
      // kmod_info has 64 bytes for it, with a NUL.
      guard (1...63).contains(kext.id.utf8.count), !kext.id.utf8.contains(0) else {
        throw problem("id", "\(kext.id.utf8.count) bytes; needed are 1 to 63, without NUL")
      }
      guard seen.insert(kext.id).inserted else {
        throw problem("id", "\"\(kext.id)\" is there twice")
      }
      guard kext.path.hasPrefix("/"), !kext.path.utf8.contains(0) else {
        throw problem("path", "\"\(kext.path)\" is not an absolute path")
      }
      guard kext.size > 0, !kext.base.addingReportingOverflow(kext.size).overflow else {
        throw problem("size", "\(kext.size) bytes at \(kext.base) do not fit into 64 bits")
      }
    }
  }

  /// How many kexts may need each other in a row; kernels have far less than twenty.
  private static let longestChain = 100

  /// A kext that needs itself, over any number of others, could never be loaded.
  private func refuseCycles(_ kexts: [Session.Kext], _ file: String) throws(SessionError) {
    let places = Dictionary(uniqueKeysWithValues: kexts.indices.map { (kexts[$0].id, $0) })
    var finished: Set<Int> = []
    func visit(_ place: Int, _ chain: [Int]) throws(SessionError) {
      guard !finished.contains(place) else { return }
      func refuse(_ message: String) -> SessionError {
        SessionError(file: file, path: "kexts[\(place)].libraries", message)
      }
      if let start = chain.firstIndex(of: place) {
        let circle = (chain[start...] + [place]).map { kexts[$0].id }.joined(separator: " -> ")
        throw refuse("kexts need each other: \(circle)")
      }
      guard chain.count < Self.longestChain else {
        throw refuse("more than \(Self.longestChain) kexts need each other in a row")
      }
      for library in kexts[place].libraries {
        if let next = places[library.id] { try visit(next, chain + [place]) }
      }
      finished.insert(place)
    }
    for place in kexts.indices { try visit(place, []) }
  }
}
