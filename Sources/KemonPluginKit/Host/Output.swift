// SPDX-License-Identifier: Apache-2.0

/// The extension `kemon.output/1`: whole lines for standard output.
public struct Output: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; `write` is marked [any].
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_output>

  /// Appends whole lines; the bytes are copied.
  ///
  /// - Returns: false when the queue was full and the bytes were dropped, which the host counts. An observer waits
  ///   instead, so for it nothing is dropped.
  @discardableResult
  public func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard !bytes.isEmpty else { return true }
    return table.pointee.write(host, bytes.baseAddress, bytes.count) == KEMON_OK
  }

  /// Appends whole lines.
  ///
  /// - Returns: false when the queue was full and the text was dropped.
  @discardableResult
  public func write(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
  }
}
