// SPDX-License-Identifier: Apache-2.0

/// The kexts of a session, checked against each other.
struct KextList {
  let kexts: [Session.Kext]
  private let values: [SessionValue]

  static let fields: [SessionField] = [
    // kmod_info has 64 bytes for it, with a NUL.
    .required("id", .shortText(1...63), "bundle identifier"),
    .required("version", .version, "version of the bundle"),
    .required("path", .path, "path of the bundle"),
    .required("base", .address, "where it is linked to"),
    .required("size", .address, "bytes of the linked kext"),
    .optional(
      "start", .address, "where its start routine is said to be, the base by default"),
    .optional("status", .integer(Int32.self), "what its start routine returns, 0 by default"),
    .optional(
      "constructors", .integer(Int32.self), "what its C++ constructors come to, 0 by default"),
    .optional("stop", .integer(Int32.self), "what its stop routine returns, 0 by default"),
    .optional("executable", .flag, "false for a kext without code, which is never started"),
    .optional("excluded", .flag, "true for a kext on the kernel's exclude list"),
    .optional("safe_boot", .flag, "true for a kext that a safe boot loads"),
    .optional("services", .flag, "true for a kext whose services do not end"),
    .optional("instances", .flag, "true for a kext with instances of its classes"),
    .optional(
      "link", .choice(Session.Link.allCases.map(\.rawValue)),
      "what linking it comes to, ok by default"),
    .optional(
      "libraries", .map(.version), "kexts that it needs, with the lowest version that will do"),
  ]

  /// Reads the list.
  ///
  /// - Parameter list: checked to be a list of kexts; nil when the session has none.
  /// - Throws: the first rule that is broken, with its place.
  init(_ list: SessionValue?) throws(SessionError) {
    values = list?.elements ?? []
    kexts = values.map(Self.kext)
    try check()
    try refuseCycles()
  }

  private static func kext(_ value: SessionValue) -> Session.Kext {
    let members = value.members
    // A JSON object has no order; dependencies are resolved in that of their identifiers.
    let libraries = (members["libraries"]?.members.all ?? []).map { name, version in
      Session.Library(id: name, version: version.version)
    }
    let base = members.required("base").address
    return Session.Kext(
      id: members.required("id").string, version: members.required("version").version,
      path: members.required("path").string, base: base, size: members.required("size").address,
      start: members["start"]?.address ?? base, status: members["status"]?.integer() ?? 0,
      constructorStatus: members["constructors"]?.integer() ?? 0,
      stopStatus: members["stop"]?.integer() ?? 0,
      isExecutable: members["executable"]?.flag ?? true,
      isExcluded: members["excluded"]?.flag ?? false,
      isForSafeBoot: members["safe_boot"]?.flag ?? false,
      hasServices: members["services"]?.flag ?? false,
      hasInstances: members["instances"]?.flag ?? false,
      link: members["link"].flatMap { Session.Link(rawValue: $0.string) } ?? .ok,
      libraries: libraries.sorted { $0.id < $1.id })
  }

  private func check() throws(SessionError) {
    var seen: Set<String> = []
    for (kext, value) in zip(kexts, values) {
      guard seen.insert(kext.id).inserted else {
        throw value.members.required("id").error("\"\(kext.id)\" is there twice")
      }
      guard kext.size > 0, !kext.base.addingReportingOverflow(kext.size).overflow else {
        throw value.members.required("size").error(
          "\(kext.size) bytes at \(kext.base) do not fit into 64 bits")
      }
    }
  }

  /// A kext that needs itself, over any number of others, could never be loaded.
  private func refuseCycles() throws(SessionError) {
    let places = Dictionary(uniqueKeysWithValues: kexts.indices.map { (kexts[$0].id, $0) })
    // How many kexts need each other in a row, from each one on.
    var lengths: [Int: Int] = [:]
    func visit(_ place: Int, _ chain: [Int]) throws(SessionError) -> Int {
      if let known = lengths[place] { return known }
      func refuse(_ message: String) -> SessionError {
        (values[place].members["libraries"] ?? values[place]).error(message)
      }
      if let start = chain.firstIndex(of: place) {
        let circle = (chain[start...] + [place]).map { kexts[$0].id }.joined(separator: " -> ")
        throw refuse("kexts need each other: \(circle)")
      }
      let longest = Session.Kext.longestChain
      var length = chain.count < longest ? 1 : longest + 1
      for library in kexts[place].libraries where length <= longest {
        guard let next = places[library.id] else { continue }
        length = max(length, try visit(next, chain + [place]) + 1)
      }
      guard length <= longest else {
        throw refuse("more than \(longest) kexts need each other in a row")
      }
      lengths[place] = length
      return length
    }
    for place in kexts.indices { _ = try visit(place, []) }
  }
}
