// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import KemonText

/// The configuration of the one plugin that a verb deals with: a file, then what options set.
enum OnePluginConfiguration {
  /// Reads it.
  ///
  /// - Parameters:
  ///   - file: a JSON file with an object; nil for none.
  ///   - settings: `path=value`, laid over it.
  /// - Returns: JSON, an object.
  /// - Throws: an exit code, after saying what is wrong and where.
  static func read(file: String?, _ settings: [String]) throws -> String {
    var configuration = JSONValue.object([:])
    if let file {
      guard let bytes = FileManager.default.contents(atPath: file) else {
        Console.error("\(file): cannot be read; needed is a JSON file with the configuration")
        throw ExitStatus.inputMissing
      }
      do throws(JSONError) {
        configuration = try JSONValue(parsing: [UInt8](bytes))
      } catch {
        Console.error("\(file): \(error)")
        throw ExitStatus.configuration
      }
      guard configuration.members != nil else {
        Console.error("\(file): found \(configuration.typeName), needed is an object")
        throw ExitStatus.configuration
      }
    }
    for setting in settings {
      do throws(JSONError) {
        try configuration.set(setting)
      } catch {
        throw ValidationError("--set: \(error.message)")
      }
    }
    return configuration.text
  }
}
