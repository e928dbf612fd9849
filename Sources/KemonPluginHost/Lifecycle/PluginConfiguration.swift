// SPDX-License-Identifier: Apache-2.0

import KemonText
import Synchronization

// Unchecked: C strings are made under the lock and never changed; they are never freed, as the plugin's code is.
/// A plugin's configuration in the two forms that it can ask for: the JSON text, and values by path.
final class PluginConfiguration: @unchecked Sendable {
  let value: JSONValue
  /// The JSON text, NUL-terminated.
  let text: UnsafePointer<CChar>
  /// Bytes of the text without its NUL.
  let textLength: UInt32

  private let strings = Mutex<[String: UInt]>([:])

  init(_ value: JSONValue) {
    self.value = value
    let text = value.text
    textLength = UInt32(clamping: text.utf8.count)
    self.text = CText.copy(text)
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

}
