// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A folder of the plugin's own, which outlives its generations.
extension LoadedPlugin {
  /// Makes the folder, unless it is there; nil when the plugin is granted none.
  func makeDataFolder() throws(PluginProblem) -> OwnedCString? {
    guard settings.capabilities.contains("fs.data"), let base = services.dataDirectory else {
      return nil
    }
    let path = base.hasSuffix("/") ? base + name : "\(base)/\(name)"
    func refuse(_ found: String, _ needed: String) -> PluginProblem {
      PluginProblem(.dataFolder, file: file, plugin: name, found: found, needed: needed)
    }
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      let reason = KemonPluginHost.describe(errno: errno)
      throw refuse("\(path): \(reason)", "a folder that can be made")
    }
    // What is there already may have been put there by somebody else.
    var status = stat()
    guard lstat(path, &status) == 0, status.isDirectory, status.st_uid == geteuid(),
      !status.isWritableByOthers
    else {
      throw refuse(
        "\(path): \(status.kindName), owner \(status.st_uid), \(status.modeText)",
        "a folder of user \(geteuid()) that group and others cannot write to")
    }
    return OwnedCString(path)
  }
}
