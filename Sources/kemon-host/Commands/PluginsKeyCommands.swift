// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import KemonPluginHost

struct PluginsKeygenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen",
    abstract: "Make a pair of keys to sign plugins with; they are minisign's, too.")

  @Option(
    name: [.customShort("s"), .long],
    help: ArgumentHelp("Where the secret key goes.", valueName: "file"))
  var secretKey: String

  @Option(
    name: [.customShort("p"), .long],
    help: ArgumentHelp("Where the public key goes.", valueName: "file"))
  var publicKey: String

  @Flag(help: "Do not protect the secret key with a password.")
  var noPassword = false

  @Option(help: ArgumentHelp("The password is this file's first line.", valueName: "file"))
  var passwordFile: String?

  func run() throws {
    let key = MinisignSecretKey()
    let password =
      noPassword
      ? nil : try KeyFile.password(passwordFile, for: secretKey, isNew: passwordFile == nil)
    do {
      try KeyFile.write(key.text(password: password), to: secretKey, mode: 0o600)
    } catch let error as MinisignError {
      Console.error("\(secretKey): \(error)")
      throw ExitCode.failure
    }
    try KeyFile.write(key.publicKey.text, to: publicKey, mode: 0o644)
    Console.note("key \(key.publicKey.name): \(publicKey), \(secretKey)")
  }
}

struct PluginsSignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign",
    abstract: "Sign plugins: FILE.minisig beside each, as minisign makes it.")

  @Argument(help: "The plugins' files.", completion: .file(extensions: ["so"]))
  var files: [String]

  @Option(
    name: [.customShort("s"), .long], help: ArgumentHelp("The secret key.", valueName: "file"))
  var secretKey: String

  @Option(help: ArgumentHelp("The password is this file's first line.", valueName: "file"))
  var passwordFile: String?

  @Option(
    name: [.customShort("t"), .long],
    help: "A comment that is signed, too (default: the time and the file's name).")
  var comment: String?

  func validate() throws {
    if let comment, comment.contains(where: \.isNewline) {
      throw ValidationError("--comment is one line")
    }
  }

  func run() throws {
    let key = try KeyFile.secretKey(secretKey, passwordFile: passwordFile)
    for file in files {
      guard let bytes = FileManager.default.contents(atPath: file) else {
        Console.error("\(file): cannot be read")
        throw ExitStatus.inputMissing
      }
      let name = file.split(separator: "/").last.map(String.init) ?? file
      let comment = comment ?? "timestamp:\(time(nil))\tfile:\(name)\thashed"
      let signature = bytes.withUnsafeBytes { key.signature(of: $0, comment: comment) }
      let target = file + MinisignSignature.suffix
      unlink(target)
      try KeyFile.write(signature.text, to: target, mode: 0o644)
      Console.note("\(target): signed by key \(key.publicKey.name)")
    }
  }
}

struct PluginsVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Verify the signatures of plugins: FILE.minisig beside each.",
    discussion: "Ends with 3 when one is missing, of somebody else, or of other bytes.")

  @Argument(help: "The plugins' files.", completion: .file(extensions: ["so"]))
  var files: [String]

  @Option(
    name: [.customShort("p"), .long],
    help: ArgumentHelp("A public key; may be given several times.", valueName: "file"))
  var publicKey: [String]

  func run() throws {
    let keys = try publicKey.map(KeyFile.publicKey)
    var areGood = true
    for file in files {
      let path = file + MinisignSignature.suffix
      guard let bytes = FileManager.default.contents(atPath: file) else {
        Console.error("\(file): cannot be read")
        throw ExitStatus.inputMissing
      }
      guard let text = FileManager.default.contents(atPath: path) else {
        Console.error("\(file): there is no \(path)")
        areGood = false
        continue
      }
      do {
        let signature = try MinisignSignature(parsing: [UInt8](text))
        let key = try bytes.withUnsafeBytes { try signature.verify($0, by: keys) }
        Console.note("\(file): signed by key \(key.name): \(signature.comment)")
      } catch {
        Console.error("\(path): \(error)")
        areGood = false
      }
    }
    if !areGood { throw ExitStatus.expectationFailed }
  }
}
