// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginHost

struct PluginsLockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Write plugins.lock: only what is in the folder now may be loaded from it.",
    discussion: """
      What the lock says of a plugin that is in it already stays: mode, tier, priority, capabilities, \
      and the key that must have signed it. A new plugin is granted what its manifest asks for. Ends with 65 \
      when files of the folder are wrong; the lock says nothing new of them.
      """)

  @Argument(help: "The folder.", completion: .directory)
  var folder: String

  @Option(
    name: .customLong("signer"),
    help: ArgumentHelp(
      "Lock to this public key (a file) instead of to hashes: newer files that it has signed may be "
        + "loaded, too; may be given several times.", valueName: "file"),
    completion: .file(extensions: ["pub"]))
  var signers: [String] = []

  @Flag(help: "Grant plugins that are in the lock already what they ask for now.")
  var grantAll = false

  func run() throws {
    let keys = try signers.map(KeyFile.publicKey)
    let renewal: PluginsLock.Renewal
    do {
      renewal = try PluginsLock.renew(folder, signers: keys, grantsAll: grantAll)
    } catch {
      Console.error(error.description)
      throw ExitStatus.badData
    }
    var table = Table("NAME", "LOCK", "GRANTED", "WITHHELD")
    let list = { (items: [String]) in items.isEmpty ? "-" : items.joined(separator: " ") }
    for plugin in renewal.plugins {
      table.add(
        plugin.name, plugin.change.rawValue, list(plugin.granted), list(plugin.withheld))
    }
    Console.data(table.text)
    for problem in renewal.problems { Console.warning(problem.description) }
    if !renewal.problems.isEmpty { throw ExitStatus.badData }
  }
}
