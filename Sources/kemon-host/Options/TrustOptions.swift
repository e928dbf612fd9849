// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Foundation
public import KemonPluginHost

/// What plugins must show before their code is loaded.
struct TrustOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      lock: plugins.lock in their folder names them. owner: only root and you can change them and the \
      way to them. any: nothing. Default: lock in folders that have a plugins.lock, owner in others.
      """))
  var trust: TrustPolicy.Level?

  @Option(
    name: .customLong("signer"),
    help: ArgumentHelp(
      "Load only plugins that this public key (a file) has signed, or that a lock names; may be "
        + "given several times.", valueName: "file"),
    completion: .file(extensions: ["pub"]))
  var signers: [String] = []

  /// The policy that the options ask for.
  ///
  /// - Throws: an exit code, after saying which key cannot be read.
  func policy() throws -> TrustPolicy {
    TrustPolicy(trust, signers: try signers.map(KeyFile.publicKey))
  }
}

extension TrustPolicy.Level: ExpressibleByArgument {}

/// Reading minisign's key files.
enum KeyFile {
  /// - Throws: an exit code, after saying why the file is no public key.
  static func publicKey(_ path: String) throws -> MinisignPublicKey {
    do {
      return try MinisignPublicKey(parsing: text(of: path))
    } catch let error as MinisignError {
      Console.error("\(path): \(error)")
      throw ExitStatus.badData
    }
  }

  /// Reads a secret key; asks for its password when it has one.
  ///
  /// - Throws: an exit code, after saying why the file is no secret key.
  static func secretKey(_ path: String, passwordFile: String?) throws -> MinisignSecretKey {
    do {
      let text = try text(of: path)
      do throws(MinisignError) {
        return try MinisignSecretKey(parsing: text, password: nil)
      } catch {
        guard error.code == .password else { throw error }
        return try MinisignSecretKey(
          parsing: text, password: password(passwordFile, for: path, isNew: false))
      }
    } catch let error as MinisignError {
      Console.error("\(path): \(error)")
      throw ExitStatus.badData
    }
  }

  /// The first line of a file, or what is typed.
  static func password(_ file: String?, for key: String, isNew: Bool) throws -> String {
    if let file {
      let text = try text(of: file)
      return String(text.prefix { $0 != "\n" && $0 != "\r\n" })
    }
    guard isatty(0) == 1 else {
      Console.error("\(key): needs a password; give --password-file, or a terminal to type it at")
      throw ExitCode.failure
    }
    let first = ask("Password of \(key): ")
    if isNew, ask("Again: ") != first {
      Console.error("the two passwords differ")
      throw ExitCode.failure
    }
    return first
  }

  /// Reads a line from the terminal without showing it.
  private static func ask(_ prompt: String) -> String {
    Console.write(prompt, to: 2)
    var shown = termios()
    tcgetattr(0, &shown)
    var hidden = shown
    hidden.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(0, TCSAFLUSH, &hidden)
    defer {
      tcsetattr(0, TCSAFLUSH, &shown)
      Console.note("")
    }
    return readLine() ?? ""
  }

  private static func text(of path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(data: data, encoding: .utf8)
    else {
      Console.error("\(path): cannot be read as text")
      throw ExitStatus.inputMissing
    }
    return text
  }

  /// Writes a new file; never over another.
  static func write(_ text: String, to path: String, mode: mode_t) throws {
    let number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard number >= 0 else {
      Console.error("\(path): \(String(cString: strerror(errno)))")
      throw ExitCode.failure
    }
    defer { close(number) }
    guard Console.write(text, to: number) == 0 else {
      Console.error("\(path): \(String(cString: strerror(errno)))")
      throw ExitCode.failure
    }
  }
}
