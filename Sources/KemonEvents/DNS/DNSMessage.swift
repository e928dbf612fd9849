// SPDX-License-Identifier: Apache-2.0

/// A DNS message, decoded from hostile bytes.
///
/// Everything is checked and bounded: a pointer must point before the labels it continues, so that no chain of them
/// can come back, and no name is longer than 255 bytes.
public struct DNSMessage: Sendable {
  /// A question of the message.
  public struct Question: Hashable, Sendable {
    /// The name asked for.
    public let name: DNSName
    /// The type asked for: 1 = A, 28 = AAAA.
    public let type: UInt16
    /// The class: 1 = IN.
    public let questionClass: UInt16
  }

  /// Bytes of the header.
  public static let headerSize = 12

  /// The number that ties a response to its query.
  public let id: UInt16
  /// All flags as they came.
  public let flags: UInt16
  /// How many questions the header announces.
  public let questionCount: Int
  /// How many answers the header announces.
  public let answerCount: Int
  /// The questions before the first broken rule.
  public private(set) var questions: [Question] = []
  /// The first broken rule, if there is one.
  public private(set) var error: DNSError?

  /// Whether the message answers.
  public var isResponse: Bool { flags & 0x8000 != 0 }

  /// Decodes a message as far as it is sound.
  ///
  /// - Parameter message: the bytes behind the UDP header.
  /// - Throws: ``DNSError`` with code `shortHeader`; other broken rules are in ``error``.
  public init(parsing message: UnsafeRawBufferPointer) throws(DNSError) {
    guard message.count >= Self.headerSize else {
      throw DNSError(.shortHeader, at: message.count)
    }
    var reader = DNSReader(message: message, position: Self.headerSize)
    id = reader.integer(at: 0)
    flags = reader.integer(at: 2)
    questionCount = Int(reader.integer(at: 4))
    answerCount = Int(reader.integer(at: 6))
    let records = answerCount + Int(reader.integer(at: 8)) + Int(reader.integer(at: 10))
    do throws(DNSError) {
      for _ in 0..<questionCount {
        let name = try reader.name()
        let type = try reader.integer(orThrow: .truncated)
        let questionClass = try reader.integer(orThrow: .truncated)
        questions.append(Question(name: name, type: type, questionClass: questionClass))
      }
      for _ in 0..<records { try reader.skipRecord() }
    } catch {
      self.error = error
    }
  }

  /// A query with one question of class IN that asks for recursion.
  ///
  /// - Parameters:
  ///   - name: labels joined by dots.
  ///   - type: what is asked for; 1 is an IPv4 address.
  ///   - id: the number by which the answer is known.
  /// - Returns: the message; nil when a label does not have 1 to 63 bytes, or the name more than 255.
  public static func query(for name: String, type: UInt16 = 1, id: UInt16 = 0) -> [UInt8]? {
    var message: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    for label in name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      guard (1...63).contains(label.count) else { return nil }
      message.append(UInt8(label.count))
      message.append(contentsOf: label)
    }
    guard message.count - headerSize < DNSName.limit else { return nil }
    return message + [0, UInt8(type >> 8), UInt8(type & 0xFF), 0, 1]
  }
}
