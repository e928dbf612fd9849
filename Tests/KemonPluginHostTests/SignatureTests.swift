// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct SignatureTests {
  /// A folder with a signed plugin.
  private func signed(by key: MinisignSecretKey) throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try folder.copy(Fixtures.build("voter"), to: "voter.so")
    try sign(folder.file("voter.so"), key)
    return folder
  }

  private func sign(_ file: String, _ key: MinisignSecretKey) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
    let text = bytes.withUnsafeBytes { key.signature(of: $0, comment: "a test").text }
    try text.write(toFile: file + ".minisig", atomically: true, encoding: .utf8)
    chmod(file + ".minisig", 0o644)
  }

  private func rules(_ folder: ScratchFolder, _ keys: MinisignSecretKey...) -> [String] {
    let trust = TrustPolicy(signers: keys.map(\.publicKey))
    return PluginScanner.scan([folder.path], trust: trust).problems.map(\.rule.id)
  }

  @Test func `a signed plugin is loaded, nothing else`() throws {
    let (key, other) = (MinisignSecretKey(), MinisignSecretKey())
    let folder = try signed(by: key)
    let signature = folder.file("voter.so.minisig")
    #expect(rules(folder, key).isEmpty)
    #expect(rules(folder, other, key).isEmpty, "one of several")
    #expect(rules(folder, other) == ["signature.signer"])
    let trust = TrustPolicy(signers: [other.publicKey])
    let problem = try #require(PluginScanner.scan([folder.path], trust: trust).problems.first)
    #expect(problem.file == folder.file("voter.so"))
    #expect(
      problem.found
        == "found a signature by key \(key.publicKey.name), needed is one by \(other.publicKey.name)"
    )

    let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.file("voter.so"))))
    try folder.write(bytes + [0], to: "voter.so", mode: 0o755)
    #expect(rules(folder, key) == ["signature.wrong"])
    try folder.write(bytes, to: "voter.so", mode: 0o755)
    let text = try String(contentsOfFile: signature, encoding: .utf8)
    try text.replacing("a test", with: "a lie").write(
      toFile: signature, atomically: true, encoding: .utf8)
    #expect(rules(folder, key) == ["signature.wrong"], "the comment is signed, too")
    try folder.write("nonsense", to: "voter.so.minisig")
    #expect(rules(folder, key) == ["signature.format"])
    unlink(signature)
    #expect(rules(folder, key) == ["signature.missing"])
  }

  @Test func `a lock may name who signs, so that updates need no new lock`() throws {
    let (key, other) = (MinisignSecretKey(), MinisignSecretKey())
    let folder = try signed(by: key)
    let renewal = try PluginsLock.renew(folder.path, signers: [other.publicKey, key.publicKey])
    #expect(renewal.problems.isEmpty)
    let candidate = try #require(PluginScanner.scan([folder.path]).candidates.first)
    #expect(candidate.signer == key.publicKey)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.file("voter.so"))))
    try folder.write(bytes + [0], to: "voter.so", mode: 0o755)
    #expect(rules(folder) == ["signature.wrong"])
    try sign(folder.file("voter.so"), key)
    #expect(rules(folder).isEmpty, "another file, signed by the same")
    try sign(folder.file("voter.so"), other)
    #expect(rules(folder) == ["signature.signer"])
  }

  @Test func `a renewal keeps the keys, and the hashes beside them, and verifies by them`() throws {
    let (key, other) = (MinisignSecretKey(), MinisignSecretKey())
    let folder = try signed(by: key)
    _ = try PluginsLock.renew(folder.path, signers: [key.publicKey])
    #expect(try PluginsLock.renew(folder.path).plugins.map(\.change) == [.unchanged])
    #expect(try entry(folder)?.signer == key.publicKey)
    #expect(try entry(folder)?.sha256 == nil)

    let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.file("voter.so"))))
    try folder.write(bytes + [0], to: "voter.so", mode: 0o755)
    let refused = try PluginsLock.renew(folder.path)
    #expect(refused.plugins.isEmpty)
    #expect(refused.problems.map(\.rule.id) == ["signature.wrong"])
    #expect(try entry(folder)?.signer == key.publicKey, "it stays refused")
    #expect(rules(folder) == ["signature.wrong"])

    // The operator wants these bytes, by this key.
    try sign(folder.file("voter.so"), key)
    let hash = try #require(PluginScanner.inspect(folder.file("voter.so")).sha256)
    let both = #"{"sha256": "\#(hash)", "signer": "\#(key.publicKey.base64)"}"#
    try folder.write(#"{"version": 1, "plugins": {"voter": \#(both)}}"#, to: "plugins.lock")
    chmod(folder.file("plugins.lock"), 0o644)
    for signers in [[], [key.publicKey], [other.publicKey, key.publicKey]] {
      #expect(
        try PluginsLock.renew(folder.path, signers: signers).plugins.map(\.change) == [.unchanged])
      #expect(try entry(folder)?.sha256 == hash)
      #expect(try entry(folder)?.signer == key.publicKey)
    }
  }

  @Test func `of a program its kemon.json counts as the program does`() throws {
    let key = MinisignSecretKey()
    let folder = try ScratchFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("voter"), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    let manifest = #"{"name": "voter", "version": "1.0.0", "abi": 1, "program": "voter.sh"}"#
    try folder.write(Array("#!/bin/sh\n".utf8), to: "voter/voter.sh", mode: 0o755)
    try folder.write(manifest, to: "voter/kemon.json")
    #expect(rules(folder, key) == ["signature.missing"])
    try sign(folder.file("voter/voter.sh"), key)
    #expect(rules(folder, key) == ["signature.missing"], "how it is run, is not signed")
    try sign(folder.file("voter/kemon.json"), key)
    #expect(rules(folder, key).isEmpty)
    try folder.write(manifest + " ", to: "voter/kemon.json")
    #expect(rules(folder, key) == ["signature.wrong"])

    // Whoever may change the program need not be one who may change how it is run.
    try sign(folder.file("voter/kemon.json"), key)
    let digest = try #require(hash(of: folder.file("voter/kemon.json")))
    let pinned = #"{"signer": "\#(key.publicKey.base64)", "manifest": "\#(digest)"}"#
    try folder.write(#"{"version": 1, "plugins": {"voter": \#(pinned)}}"#, to: "plugins.lock")
    #expect(rules(folder).isEmpty)
    #expect(try PluginsLock.renew(folder.path).plugins.map(\.change) == [.unchanged])
    try folder.write(manifest, to: "voter/kemon.json")
    try sign(folder.file("voter/kemon.json"), key)
    #expect(rules(folder) == ["lock.hash"])
    try folder.write(manifest + " ", to: "voter/kemon.json")
    unlink(folder.file("plugins.lock"))

    #expect(try PluginsLock.renew(folder.path).plugins.map(\.change) == [.added])
    #expect(rules(folder).isEmpty)
    #expect(try entry(folder)?.manifest != nil)
    try folder.write(manifest, to: "voter/kemon.json")
    #expect(rules(folder) == ["lock.hash"])
    #expect(try PluginsLock.renew(folder.path).plugins.map(\.change) == [.changed])
    #expect(rules(folder).isEmpty)
    // A lock that knows the program alone.
    var lock = try String(contentsOfFile: folder.file("plugins.lock"), encoding: .utf8)
    lock.replace(/\s*"manifest": "[0-9a-f]+",/, with: "")
    try folder.write(lock, to: "plugins.lock")
    #expect(rules(folder) == ["lock.hash"])
  }

  private func hash(of file: String) -> String? {
    FileManager.default.contents(atPath: file).map { bytes in
      bytes.withUnsafeBytes { SHA256.hexDigest(of: $0) }
    }
  }

  private func entry(_ folder: ScratchFolder) throws -> PluginsLock.Entry? {
    let text = try Data(contentsOf: URL(filePath: folder.file("plugins.lock")))
    return try PluginsLock(parsing: Array(text)).plugins["voter"]
  }

  @Test func `a secret key comes back from its text, with the right password only`() throws {
    let key = MinisignSecretKey()
    let plain = try MinisignSecretKey(parsing: key.text(password: nil), password: nil)
    #expect(plain.publicKey == key.publicKey)
    let text = try key.text(password: "correct horse", work: .interactive)
    let opened = try MinisignSecretKey(parsing: text, password: "correct horse")
    #expect(opened.publicKey == key.publicKey)
    for password in ["wrong", "", nil] {
      let error = #expect(throws: MinisignError.self) {
        _ = try MinisignSecretKey(parsing: text, password: password)
      }
      #expect(error?.code == .password)
    }
    #expect(try MinisignPublicKey(parsing: key.publicKey.text) == key.publicKey)
  }

  @Test func `damaged signatures and keys never verify and never crash`() throws {
    let key = MinisignSecretKey()
    let bytes = Array("some plugin".utf8)
    let good = bytes.withUnsafeBytes { key.signature(of: $0, comment: "c") }
    let text = Array(good.text.utf8)
    // What the untrusted comment says is nobody's.
    let first = try #require(text.firstIndex(of: UInt8(ascii: "\n")))
    var random = SeededRandom(seed: 3)
    for _ in 0..<4000 {
      var damaged = text
      let place = Int.random(in: (first + 1)..<damaged.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: damaged[place] ^= 1 << UInt8.random(in: 0..<7, using: &random)
      case 1: damaged.remove(at: place)
      default: damaged.insert(UInt8.random(in: 0...255, using: &random), at: place)
      }
      guard let signature = try? MinisignSignature(parsing: damaged), signature != good else {
        continue
      }
      #expect(throws: MinisignError.self) {
        try bytes.withUnsafeBytes { try signature.verify($0, by: [key.publicKey]) }
      }
    }
    let secret = Array(try key.text(password: nil).utf8)
    for _ in 0..<2000 {
      var damaged = secret
      damaged[Int.random(in: 0..<damaged.count, using: &random)] ^= 1
      _ = try? MinisignSecretKey(parsing: String(decoding: damaged, as: UTF8.self), password: nil)
    }
  }

  @Test(.enabled(if: Command.exists("minisign"), "needs the Debian package minisign"))
  func `minisign verifies our signatures, and we verify minisign's`() throws {
    let minisign = try #require(Command("minisign"))
    let folder = try ScratchFolder()
    let file = try folder.write("the bytes", to: "file")
    let key = MinisignSecretKey()
    try folder.write(key.publicKey.text, to: "ours.pub")
    try folder.write(try key.text(password: "word", work: .interactive), to: "ours.key")
    try sign(file, key)
    var result = try minisign.run(["-Vm", file, "-p", folder.file("ours.pub")])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.output.contains("Trusted comment: a test"))

    // Our key, opened by minisign with its password.
    result = try minisign.run(
      ["-Sm", file, "-s", folder.file("ours.key"), "-t", "by minisign"], input: "word\n")
    #expect(result.status == 0, "\(result.text)")
    let bytes = Array("the bytes".utf8)
    func verify(_ keys: [MinisignPublicKey]) throws -> MinisignSignature {
      let text = [UInt8](try Data(contentsOf: URL(filePath: file + ".minisig")))
      let signature = try MinisignSignature(parsing: text)
      try bytes.withUnsafeBytes { _ = try signature.verify($0, by: keys) }
      return signature
    }
    #expect(try verify([key.publicKey]).comment == "by minisign")

    // A key that minisign has made, without a password, and its older signatures without a hash.
    result = try minisign.run(
      ["-GWf", "-p", folder.file("its.pub"), "-s", folder.file("its.key")])
    #expect(result.status == 0, "\(result.text)")
    let its = try MinisignPublicKey(
      parsing: String(contentsOfFile: folder.file("its.pub"), encoding: .utf8))
    let secret = try MinisignSecretKey(
      parsing: String(contentsOfFile: folder.file("its.key"), encoding: .utf8), password: nil)
    #expect(secret.publicKey == its)
    result = try minisign.run(["-Slm", file, "-s", folder.file("its.key")])
    #expect(result.status == 0, "\(result.text)")
    #expect(try !verify([its]).isHashed)
  }
}
