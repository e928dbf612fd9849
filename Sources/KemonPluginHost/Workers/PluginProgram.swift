// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonText

/// A plugin that is a program, not a library: a folder with a `kemon.json` beside one file, which speaks the protocol of
/// workers.
///
/// ```json
/// {"name": "my-guard", "version": "1.0.0", "abi": 1, "program": "plugin.py", "interpreter": "python3"}
/// ```
///
/// The rest is a manifest like any other. The file is copied, sealed and hashed as libraries are.
enum PluginProgram {
  /// The file that makes a folder a plugin.
  static let manifestName = "kemon.json"
  /// Where interpreters are looked for, in this order; nobody's environment is asked.
  private static let folders = ["/usr/local/bin", "/usr/bin", "/bin"]
  private static let manifestLimit = 64 << 10

  /// How a program is run.
  struct Command: Equatable {
    /// The interpreter's file; nil for a program that runs by itself.
    let interpreter: String?
  }

  /// What `kemon.json` says.
  private struct Description {
    let manifest: PluginManifest
    let program: String
    let command: Command
  }

  /// Reads and checks the program of a folder.
  static func read(
    in directory: borrowing PluginDirectory
  ) throws(PluginProblem) -> PluginScanner.Candidate {
    let file = directory.path(of: manifestName)
    let text = try SealedImage(copying: try directory.open(file: manifestName), path: file)
    guard text.bytes.count <= manifestLimit else {
      throw PluginProblem(
        .manifestSize, file: file, found: "\(text.bytes.count) bytes",
        needed: "at most \(manifestLimit)")
    }
    let description: Description
    do throws(BrokenRule) {
      description = try describe(Array(text.bytes))
    } catch {
      throw PluginProblem(error, file: file, plugin: nil)
    }
    let program = directory.path(of: description.program)
    let image = try SealedImage(
      copying: try directory.open(file: description.program), path: program)
    return PluginScanner.Candidate(
      file: program, image: image, manifest: description.manifest, description: text,
      command: description.command)
  }

  private static func describe(_ text: [UInt8]) throws(BrokenRule) -> Description {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: text)
    } catch {
      throw BrokenRule(rule: .manifestJSON, found: error.description, needed: "one JSON object")
    }
    guard var members = value.members else {
      throw BrokenRule(rule: .manifestJSON, found: value.typeName, needed: "a JSON object")
    }
    let program = members.removeValue(forKey: "program")
    guard let program = program?.string, !program.isEmpty, !program.contains("/") else {
      throw BrokenRule(
        rule: .manifestText, found: "program: \(program?.text ?? "nothing")",
        needed: "the name of a file in the same folder")
    }
    let interpreter = members.removeValue(forKey: "interpreter")
    let command = try command(interpreter)
    var manifest: PluginManifest
    do throws(ManifestError) {
      manifest = try PluginManifest(parsing: Array(JSONValue.object(members).text.utf8))
    } catch {
      throw error.broken[0]
    }
    guard manifest.isolation != .inproc else {
      throw BrokenRule(
        rule: .manifestIsolation, found: "\"inproc\"", needed: "\"worker\": a program is a process")
    }
    manifest.isolation = .worker
    return Description(manifest: manifest, program: program, command: command)
  }

  private static func command(_ value: JSONValue?) throws(BrokenRule) -> Command {
    guard let value else { return Command(interpreter: nil) }
    guard let name = value.string, !name.isEmpty, !name.contains("/") else {
      throw BrokenRule(
        rule: .manifestText, found: "interpreter: \(value.text)",
        needed: "the name of a program in \(folders.joined(separator: ", "))")
    }
    let paths: [String] = folders.map { "\($0)/\(name)" }
    guard let path = paths.first(where: { access($0, X_OK) == 0 }) else {
      throw BrokenRule(
        rule: .manifestText, found: "no \(name)",
        needed: "one in \(folders.joined(separator: ", "))")
    }
    return Command(interpreter: path)
  }
}
