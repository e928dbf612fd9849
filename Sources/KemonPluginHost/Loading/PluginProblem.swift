// SPDX-License-Identifier: Apache-2.0

internal import KemonText

/// Why a plugin, or a part of it, is not there: one broken rule.
///
/// Problems are values, not thrown ends: everything wrong with a folder of plugins is reported at once, and the
/// plugins without problems are loaded.
public struct PluginProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file or folder; empty when the problem is about none.
  public let file: String
  /// The plugin's name where it is known.
  public let plugin: String?
  /// The broken rule, a stable id such as `elf.class`; see ``Rule``.
  public let rule: Rule
  /// What is there.
  public let found: String
  /// What should be there.
  public let needed: String

  /// The whole problem as one line for people.
  public var message: String { "\(rule.title): found \(found), needed is \(needed)" }

  /// The message with its file and the id of the rule.
  public var description: String {
    let place = file.isEmpty ? (plugin.map { "plugin \($0)" } ?? "plugins") : file
    return "\(PrintableText.escape(place)): \(message) [\(rule.id)]"
  }

  init(_ rule: Rule, file: String, plugin: String? = nil, found: String, needed: String) {
    self.file = file
    self.plugin = plugin
    self.rule = rule
    // Both may quote a hostile file, and go to somebody's terminal.
    self.found = PrintableText.escape(found)
    self.needed = PrintableText.escape(needed)
  }

  /// Several problems of one plugin as one, which has the rule of the first.
  init(together problems: [PluginProblem], _ rule: Rule, file: String, plugin: String) {
    guard let first = problems.first, problems.count > 1 else {
      let nothing = PluginProblem(
        rule, file: file, plugin: plugin, found: "nothing", needed: "a plugin")
      self = problems.first ?? nothing
      return
    }
    let rest = problems.dropFirst().map { "; found \($0.found), needed is \($0.needed)" }
    self.init(
      first.rule, file: file, plugin: plugin, found: first.found,
      needed: first.needed + rest.joined())
  }

  init(_ broken: BrokenRule, file: String, plugin: String?) {
    self.init(
      broken.rule, file: file, plugin: plugin, found: broken.found, needed: broken.needed)
  }
}

extension PluginProblem {
  /// A rule that plugins must keep.
  public struct Rule: Hashable, Sendable {
    /// The stable id, as in `elf.class`: what scripts and tests compare.
    public let id: String
    /// The rule in words, for people.
    public let title: String

    init(_ id: String, _ title: String) {
      self.id = id
      self.title = title
    }
  }
}

extension PluginProblem.Rule {
  // Files and folders.
  static let directoryOpen = Self("directory.open", "the folder cannot be read")
  static let directoryTrust = Self("directory.trust", "others can change the folder")
  static let pathTrust = Self("path.trust", "others can change the way to the folder")
  static let fileOpen = Self("file.open", "the file cannot be read")
  static let fileLink = Self("file.link", "the file is a symbolic link")
  static let fileKind = Self("file.kind", "this is no regular file")
  static let fileOwner = Self("file.owner", "the file belongs to somebody else")
  static let fileWritable = Self("file.writable", "others can change the file")
  static let fileEmpty = Self("file.empty", "the file is empty")
  static let fileSize = Self("file.size", "the file is too large")
  static let fileCopy = Self("file.copy", "the file cannot be copied into memory")

  // Trust.
  static let lockMissing = Self("lock.missing", "the folder has no lock")
  static let lockFormat = Self("lock.format", "the lock cannot be read")
  static let lockUnknown = Self("lock.unknown", "the lock does not name the plugin")
  static let lockHash = Self("lock.hash", "the file is not the one that was locked")
  static let lockAbsent = Self("lock.absent", "a plugin that was locked is not there")
  static let lockWrite = Self("lock.write", "the lock cannot be written")
  static let signatureMissing = Self("signature.missing", "the file is not signed")
  static let signatureFormat = Self("signature.format", "the signature cannot be read")
  static let signatureSigner = Self("signature.signer", "the file is signed by somebody else")
  static let signatureWrong = Self("signature.wrong", "the signature is of other bytes")

  // The library.
  static let elfMagic = Self("elf.magic", "this is no ELF file")
  static let elfClass = Self("elf.class", "the library is built for another word size")
  static let elfEndianness = Self("elf.endianness", "the library is built for another byte order")
  static let elfMachine = Self("elf.machine", "the library is built for another machine")
  static let elfType = Self("elf.type", "this is no shared library")
  static let elfTruncated = Self("elf.truncated", "the file is cut off")
  static let elfSections = Self("elf.sections", "the table of sections cannot be read")
  static let elfStack = Self("elf.stack", "the library asks for an executable stack")
  static let elfTextRelocations = Self("elf.textrel", "the library changes its own code")
  static let elfRunPath = Self("elf.runpath", "the library looks for others in an unsafe folder")
  static let elfEntry = Self("elf.entry", "the library does not export a plugin's entry")

  // The manifest.
  static let manifestMissing = Self("manifest.missing", "the library has no manifest")
  static let manifestTwice = Self("manifest.twice", "the library has several manifests")
  static let manifestSize = Self("manifest.size", "the manifest is too large")
  static let manifestJSON = Self("manifest.json", "the manifest is not JSON")
  static let manifestMember = Self("manifest.member", "a member of the manifest is unknown")
  static let manifestName = Self("manifest.name", "the manifest's name is wrong")
  static let manifestVersion = Self("manifest.version", "the manifest's version is wrong")
  static let manifestABI = Self("manifest.abi", "the plugin is built for another host")
  static let manifestText = Self("manifest.text", "a text of the manifest is wrong")
  static let manifestIsolation = Self("manifest.isolation", "the manifest's isolation is wrong")
  static let manifestList = Self("manifest.list", "a list of the manifest is wrong")
  static let manifestState = Self("manifest.state", "the version of its state is wrong")
  static let manifestConfig = Self("manifest.config", "the schema of its configuration is wrong")

  // Plugins among each other.
  static let pluginDuplicate = Self("plugin.duplicate", "the name is taken")
  static let pluginNeeds = Self("plugin.needs", "a plugin that it needs is missing")
  static let pluginCycle = Self("plugin.cycle", "plugins wait for each other")
  static let pluginExtension = Self("plugin.extension", "an extension that it needs is missing")
  static let pluginIsolation = Self(
    "plugin.isolation", "the plugin cannot run in a process of its own")
  static let selectionUnknown = Self("selection.unknown", "there is no plugin of that name")
  static let configUnknown = Self("config.unknown", "the configuration is for no plugin")
  static let configType = Self("config.type", "the configuration is wrong")
  static let configSchema = Self("config.schema", "the configuration does not fit the plugin")

  static let dataFolder = Self("data.folder", "the plugin's own folder cannot be used")

  // Its code.
  static let loadLink = Self("load.link", "the dynamic linker refuses the library")
  static let loadRefused = Self("load.refused", "the plugin refuses this host")
  static let loadTable = Self("load.table", "what the plugin's entry returned is wrong")
  static let createFailed = Self("create.failed", "the plugin could not be created")
  static let startFailed = Self("start.failed", "the plugin could not be started")
  static let saveFailed = Self("save.failed", "the plugin could not save its state")
  static let reconfigureFailed = Self(
    "reconfigure.failed", "the plugin does not take the configuration")
  static let reconfigureMissing = Self(
    "reconfigure.missing", "the plugin takes no configuration while it runs")

  // A running host.
  static let runningNone = Self("running.none", "no plugin of that name runs")
  static let reloadName = Self("reload.name", "the file holds another plugin now")
}
