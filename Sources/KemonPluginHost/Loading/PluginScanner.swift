// SPDX-License-Identifier: Apache-2.0

import KemonText

/// Finds plugins in folders and checks them; runs none of their code.
public enum PluginScanner {
  /// A file that passed every check.
  struct Candidate {
    let file: String
    let image: SealedImage
    let manifest: PluginManifest
    /// How it is run when it is a program; nil for a library.
    var command: PluginProgram.Command?
  }

  /// Looks at one file, and tells all that can be known without running it.
  ///
  /// - Parameter file: need not end in `.so`.
  public static func inspect(_ file: String) -> PluginInspection {
    examine(file).inspection
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
  public static func inspect(directories: [String]) -> [PluginInspection] {
    let scan = scan(directories)
    let nothing = JSONValue.object([:])
    let plan = LoadPlan(
      scan, configurations: nothing, defaults: nothing, disable: [], only: [], present: [])
    let problems = Dictionary(grouping: plan.problems, by: \.file)
    return scan.inspections.map { inspection in
      var inspection = inspection
      inspection.problems = problems[inspection.file] ?? []
      return inspection
    }
  }

  /// Finds what can be loaded, and everything that is wrong with the rest.
  static func scan(_ directories: [String]) -> Scan {
    var scan = Scan()
    var owners: [String: String] = [:]
    examine(directories) { result in
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
    return scan
  }

  private typealias Result = (inspection: PluginInspection, candidate: Candidate?)

  private static func examine(_ directories: [String], _ body: (Result) -> Void) {
    for path in directories {
      do throws(PluginProblem) {
        let directory = try PluginDirectory(path)
        if directory.has(PluginProgram.manifestName) { body(examineProgram(in: directory)) }
        for name in try directory.libraryNames() { body(examine(name, in: directory)) }
        for name in try directory.programNames() {
          let folder = directory.path(of: name)
          do throws(PluginProblem) {
            body(examineProgram(in: try PluginDirectory(folder)))
          } catch {
            body(unreadable(folder, error))
          }
        }
      } catch {
        body(isFile(path) ? examine(path) : unreadable(path, error))
      }
    }
  }

  // MARK: One file

  private static func examine(_ file: String) -> Result {
    let slash = file.lastIndex(of: "/")
    let folder = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
    let name = slash.map { String(file[file.index(after: $0)...]) } ?? file
    do throws(PluginProblem) {
      return examine(name, in: try PluginDirectory(folder), shownAs: file)
    } catch {
      return unreadable(file, error)
    }
  }

  private static func examine(
    _ name: String, in directory: borrowing PluginDirectory, shownAs shown: String? = nil
  ) -> Result {
    let file = shown ?? directory.path(of: name)
    do throws(PluginProblem) {
      let descriptor = try directory.open(file: name)
      return check(try SealedImage(copying: descriptor, path: file), file: file)
    } catch {
      return unreadable(file, error)
    }
  }

  private static func examineProgram(in directory: borrowing PluginDirectory) -> Result {
    do throws(PluginProblem) {
      let candidate = try PluginProgram.read(in: directory)
      let inspection = PluginInspection(
        file: candidate.file, size: candidate.image.bytes.count, sha256: candidate.image.sha256,
        manifest: candidate.manifest, neededLibraries: [], runPaths: [], problems: [])
      return (inspection, candidate)
    } catch {
      return unreadable(directory.path(of: PluginProgram.manifestName), error)
    }
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
