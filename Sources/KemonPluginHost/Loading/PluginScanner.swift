// SPDX-License-Identifier: Apache-2.0

import KemonText

/// Finds plugins in folders and checks them; runs none of their code.
public enum PluginScanner {
  /// A file that passed every check.
  struct Candidate {
    let file: String
    let image: SealedImage
    let manifest: PluginManifest
    /// What the operator grants it.
    var grant = PluginGrant.usual
    /// Who has signed it, where that was asked for.
    var signer: MinisignPublicKey?
    /// The `kemon.json` of a program; nil for a library.
    var description: SealedImage?
    /// How it is run when it is a program; nil for a library.
    var command: PluginProgram.Command?
  }

  /// Looks at one file, and tells all that can be known without running it.
  ///
  /// - Parameter file: need not end in `.so`.
  /// - Parameter trust: what it must show.
  public static func inspect(
    _ file: String, trust: TrustPolicy = TrustPolicy()
  ) -> PluginInspection {
    examine(file, trust).inspection
  }

  /// What folders hold.
  struct Scan {
    /// Every file that was looked at.
    var inspections: [PluginInspection] = []
    /// Those that can be loaded, as far as they themselves tell.
    var candidates: [Candidate] = []
    /// What is wrong with the others.
    var problems: [PluginProblem] = []
  }

  /// Looks at every `*.so` of folders, in the order of their names, and tells what can be known of each: also that a
  /// name is taken, that a plugin or an extension is missing which it needs, or that plugins wait for each other.
  ///
  /// - Parameter directories: folders; a path that is a file is looked at as such. A folder that cannot be read or
  ///   trusted is in the result with its problem.
  /// - Parameter trust: what each must show.
  public static func inspect(
    directories: [String], trust: TrustPolicy = TrustPolicy()
  ) -> [PluginInspection] {
    let scan = scan(directories, trust: trust)
    let nothing = JSONValue.object([:])
    let plan = LoadPlan(
      scan, configurations: nothing, defaults: nothing, disable: [], only: [], present: [])
    // What its configuration must have is no mistake of the plugin's.
    let problems = Dictionary(
      grouping: plan.problems.filter { $0.rule != .configSchema }, by: \.file)
    return scan.inspections.map { inspection in
      var inspection = inspection
      inspection.problems = problems[inspection.file] ?? []
      return inspection
    }
  }

  /// Finds what can be loaded, and everything that is wrong with the rest.
  static func scan(_ directories: [String], trust: TrustPolicy = TrustPolicy()) -> Scan {
    var scan = Scan()
    var owners: [String: String] = [:]
    for path in directories {
      let results: [Result]
      do throws(PluginProblem) {
        results = try examine(folder: path, trust, &scan.problems)
      } catch {
        results = [isFile(path) ? examine(path, trust) : unreadable(path, error)]
      }
      for result in results { add(result, to: &scan, &owners) }
    }
    return scan
  }

  private static func add(_ result: Result, to scan: inout Scan, _ owners: inout [String: String]) {
    scan.inspections.append(result.inspection)
    scan.problems += result.inspection.problems
    guard let candidate = result.candidate else { return }
    let name = candidate.manifest.name
    if let owner = owners[name] {
      scan.problems.append(
        PluginProblem(
          .pluginDuplicate, file: candidate.file, plugin: name,
          found: "\"\(name)\" in \(owner), too", needed: "a name of its own"))
      return
    }
    owners[name] = candidate.file
    scan.candidates.append(candidate)
  }

  private typealias Result = (inspection: PluginInspection, candidate: Candidate?)

  private static func examine(
    folder path: String, _ trust: TrustPolicy, _ problems: inout [PluginProblem]
  ) throws(PluginProblem) -> [Result] {
    let directory = try PluginDirectory(path, checksOwners: trust.checksOwners)
    if directory.has(PluginProgram.manifestName) {
      return [try examineProgram(in: directory, trust)]
    }
    let admission = try PluginAdmission(directory, trust)
    var results: [Result] = []
    for name in try directory.libraryNames() {
      results.append(examine(name, in: directory, admission))
    }
    for name in try directory.programNames() {
      let folder = directory.path(of: name)
      do throws(PluginProblem) {
        let program = try PluginDirectory(folder, checksOwners: trust.checksOwners)
        results.append(examineProgram(in: program, admission))
      } catch {
        results.append(unreadable(folder, error))
      }
    }
    // Who has locked a guard counts on it.
    let present = Set(results.compactMap(\.inspection.manifest?.name))
    for name in admission.lock?.plugins.keys.sorted() ?? [] where !present.contains(name) {
      problems.append(
        PluginProblem(
          .lockAbsent, file: admission.lockPath, plugin: name, found: "no file of \"\(name)\"",
          needed: "the plugin, or a lock without it"))
    }
    return results
  }

  // MARK: One file

  private static func examine(_ file: String, _ trust: TrustPolicy) -> Result {
    let slash = file.lastIndex(of: "/")
    let folder = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
    let name = slash.map { String(file[file.index(after: $0)...]) } ?? file
    do throws(PluginProblem) {
      let directory = try PluginDirectory(folder, checksOwners: trust.checksOwners)
      if directory.has(PluginProgram.manifestName) {
        return try examineProgram(in: directory, trust)
      }
      let admission = try PluginAdmission(directory, trust)
      return examine(name, in: directory, admission, shownAs: file)
    } catch {
      return unreadable(file, error)
    }
  }

  private static func examine(
    _ name: String, in directory: borrowing PluginDirectory, _ admission: PluginAdmission,
    shownAs shown: String? = nil
  ) -> Result {
    let file = shown ?? directory.path(of: name)
    do throws(PluginProblem) {
      let descriptor = try directory.open(file: name)
      var (inspection, candidate) = check(
        try SealedImage(copying: descriptor, path: file), file: file)
      do throws(PluginProblem) {
        try admit(&candidate, name, in: directory, admission)
      } catch {
        inspection.problems.append(error)
        candidate = nil
      }
      return (inspection, candidate)
    } catch {
      return unreadable(file, error)
    }
  }

  /// Looks at a program whose folder was named itself: the lock is in the folder that holds it, as for all.
  private static func examineProgram(
    in directory: borrowing PluginDirectory, _ trust: TrustPolicy
  ) throws(PluginProblem) -> Result {
    let outer = try PluginDirectory(
      directory.path(of: ".."), checksOwners: trust.checksOwners, isOnTheWay: true)
    return examineProgram(in: directory, try PluginAdmission(outer, trust))
  }

  private static func examineProgram(
    in directory: borrowing PluginDirectory, _ admission: PluginAdmission
  ) -> Result {
    do throws(PluginProblem) {
      let found = try PluginProgram.read(in: directory)
      var inspection = PluginInspection(
        file: found.file, size: found.image.bytes.count, sha256: found.image.sha256,
        manifest: found.manifest, neededLibraries: [], runPaths: [], problems: [])
      var candidate: Candidate? = found
      do throws(PluginProblem) {
        let name = found.file.split(separator: "/").last.map(String.init) ?? found.file
        try admit(&candidate, name, in: directory, admission)
      } catch {
        inspection.problems.append(error)
        candidate = nil
      }
      return (inspection, candidate)
    } catch {
      return unreadable(directory.path(of: PluginProgram.manifestName), error)
    }
  }

  /// Asks whether a file that passed every check may be loaded, too.
  private static func admit(
    _ candidate: inout Candidate?, _ name: String, in directory: borrowing PluginDirectory,
    _ admission: PluginAdmission
  ) throws(PluginProblem) {
    guard let found = candidate else { return }
    let code = PluginAdmission.File(
      path: found.file, image: found.image, signature: try signature(of: name, in: directory))
    var description: PluginAdmission.File?
    if let image = found.description {
      let name = PluginProgram.manifestName
      description = PluginAdmission.File(
        path: directory.path(of: name), image: image,
        signature: try signature(of: name, in: directory))
    }
    let admitted = try admission.admit(code, description: description, found.manifest)
    candidate?.grant = admitted.grant
    candidate?.signer = admitted.signer
  }

  private static func signature(
    of name: String, in directory: borrowing PluginDirectory
  ) throws(PluginProblem) -> [UInt8]? {
    try directory.contents(
      of: name + MinisignSignature.suffix, limit: MinisignSignature.sizeLimit)
  }

  /// Takes a file over that another process has copied, sealed and checked.
  static func adopt(_ descriptor: Int32, file: String) throws(PluginProblem) -> Candidate {
    let result = check(try SealedImage(adopting: descriptor, path: file), file: file)
    guard let candidate = result.candidate else {
      throw result.inspection.problems[0]
    }
    return candidate
  }

  private static func unreadable(_ file: String, _ problem: PluginProblem) -> Result {
    let inspection = PluginInspection(
      file: file, size: nil, sha256: nil, manifest: nil, neededLibraries: [], runPaths: [],
      problems: [problem])
    return (inspection, nil)
  }

  private static func check(_ image: SealedImage, file: String) -> Result {
    let library = PluginLibrary(image.bytes)
    let problems = library.broken.map {
      PluginProblem($0, file: file, plugin: library.manifest?.name)
    }
    let inspection = PluginInspection(
      file: file, size: image.bytes.count, sha256: image.sha256, manifest: library.manifest,
      neededLibraries: library.neededLibraries, runPaths: library.runPaths, problems: problems)
    guard problems.isEmpty, let manifest = library.manifest else { return (inspection, nil) }
    return (inspection, Candidate(file: file, image: image, manifest: manifest))
  }
}
