// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonText
import Synchronization

// Unchecked: C strings are made under the lock, never changed, and freed with the object.
/// A plugin's configuration in the two forms that it can ask for: the JSON text, and values by path.
final class PluginConfiguration: @unchecked Sendable {
  /// What the plugin reads.
  let value: JSONValue
  /// The same as the operator gave it.
  let given: JSONValue
  /// What must not be written anywhere.
  private let secrets: [String]
  /// The JSON text, NUL-terminated.
  let text: UnsafePointer<CChar>
  /// Bytes of the text without its NUL.
  let textLength: UInt32

  /// No configuration.
  static let none = PluginConfiguration(CheckedConfiguration(.object([:])))

  private let strings = Mutex<[String: UInt]>([:])

  init(_ checked: CheckedConfiguration) {
    value = checked.value
    given = checked.given
    secrets = checked.secrets
    let text = value.text
    textLength = UInt32(clamping: text.utf8.count)
    self.text = CText.copy(text)
  }

  deinit {
    free(UnsafeMutablePointer(mutating: text))
    strings.withLock { strings in
      for address in strings.values { free(UnsafeMutableRawPointer(bitPattern: address)) }
    }
  }

  /// The text at a path, or nil when it is absent or not text.
  ///
  /// A text with a NUL inside cannot be told in C; it is absent, too.
  func string(at path: String) -> UnsafePointer<CChar>? {
    guard let text = value.value(at: path)?.string, !text.utf8.contains(0) else { return nil }
    return strings.withLock { strings in
      let address = strings[path] ?? UInt(bitPattern: CText.copy(text))
      strings[path] = address
      return UnsafePointer(bitPattern: address)
    }
  }

  /// Elements of an array or members of an object, or nil for anything else.
  func count(at path: String) -> Int? {
    switch value.value(at: path) {
    case .array(let elements): elements.count
    case .object(let members): members.count
    default: nil
    }
  }

  /// A text of the plugin, without the secrets that it may quote.
  func withoutSecrets(_ text: String) -> String {
    secrets.reduce(text) { $1.isEmpty ? $0 : $0.replacing($1, with: JSONSchema.redaction) }
  }
}
