// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A line of Tracee's output, as far as it is used here, in Tracee's words.
struct TraceeEvent: Decodable {
  let timestamp: UInt64
  let eventName: String
  let threadStartTime: UInt64?
  let processId, threadId, parentProcessId: Int32?
  let hostProcessId, hostThreadId, hostParentProcessId: Int32?
  let userId: UInt32?
  let processName: String?
  let executable: Executable?
  private let args: [Argument]?

  struct Executable: Decodable {
    let path: String?
  }

  /// The DNS message of `net_packet_dns`.
  struct Message: Decodable {
    let QR: Int
    let questions: [Question]?
  }

  struct Question: Decodable {
    let name: String
    let type: String?
    let `class`: String?

    /// 0 when the name is not known.
    var typeNumber: UInt16 { Self.types[type ?? ""] ?? 0 }
    /// 0 when the name is not known.
    var classNumber: UInt16 { Self.classes[`class` ?? ""] ?? 0 }

    // As gopacket, which Tracee prints with, names them.
    private static let types: [String: UInt16] = [
      "A": 1, "NS": 2, "MD": 3, "MF": 4, "CNAME": 5, "SOA": 6, "MB": 7, "MG": 8, "MR": 9,
      "NULL": 10, "WKS": 11, "PTR": 12, "HINFO": 13, "MINFO": 14, "MX": 15, "TXT": 16, "AAAA": 28,
      "SRV": 33, "OPT": 41, "URI": 256,
    ]
    private static let classes: [String: UInt16] = ["IN": 1, "CS": 2, "CH": 3, "HS": 4, "Any": 255]
  }

  /// The arguments of `net_packet_dns`.
  struct Packet {
    let source, destination: String
    let sourcePort, destinationPort: UInt16
    let message: Message
  }

  /// The arguments as those of `net_packet_dns`, when they are all there.
  var packet: Packet? {
    var texts: [String: String] = [:]
    var numbers: [String: UInt16] = [:]
    var message: Message?
    for argument in args ?? [] {
      switch argument.value {
      case .text(let text): texts[argument.name] = text
      case .number(let number): numbers[argument.name] = UInt16(exactly: number)
      case .message(let found): message = found
      case .other: break
      }
    }
    guard let source = texts["src"], let destination = texts["dst"],
      let sourcePort = numbers["src_port"], let destinationPort = numbers["dst_port"], let message
    else { return nil }
    return Packet(
      source: source, destination: destination, sourcePort: sourcePort,
      destinationPort: destinationPort, message: message)
  }

  private struct Argument: Decodable {
    let name: String
    let value: Value
  }

  /// An argument has the type that its event gives it; only these are looked at.
  private enum Value: Decodable {
    case text(String)
    case number(Int64)
    case message(Message)
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let number = try? container.decode(Int64.self) {
        self = .number(number)
      } else if let message = try? container.decode(Message.self) {
        self = .message(message)
      } else {
        self = .other
      }
    }
  }
}
