// SPDX-License-Identifier: Apache-2.0

/// The two ends of a socket as sysdig shows them: `172.17.0.1:46490->172.17.0.4:80`.
struct SysdigConnection {
  let source: Substring
  let sourcePort: UInt16
  let destination: Substring
  let destinationPort: UInt16

  init?(_ tuple: Substring) {
    guard let arrow = tuple.utf8.firstRange(of: "->".utf8),
      let source = Self.end(tuple[..<arrow.lowerBound]),
      let destination = Self.end(tuple[arrow.upperBound...])
    else { return nil }
    (self.source, sourcePort) = source
    (self.destination, destinationPort) = destination
  }

  /// The transport protocol that `fd=3(<4t>…` tells: `t` TCP, `u` UDP; 0 when it does not.
  static func transport(_ descriptor: Substring?) -> UInt16 {
    guard let descriptor, let open = descriptor.utf8.firstRange(of: "(<".utf8)?.upperBound else {
      return 0
    }
    return switch descriptor[open...].dropFirst().first {
    case "t": 6
    case "u": 17
    default: 0
    }
  }

  private static func end(_ text: Substring) -> (Substring, UInt16)? {
    // Addresses of IPv6 have colons too: the last one is the port's.
    guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
      let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    return (text[..<colon], port)
  }
}
