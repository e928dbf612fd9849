// SPDX-License-Identifier: Apache-2.0

/// The JSON of a session, before its parts are checked against each other.
struct SessionDocument: Decodable {
  let name: String
  let release: String?
  let process: ProcessDocument
  let kexts: [KextDocument]
  let load: [String]?

  enum CodingKeys: String, CodingKey, CaseIterable { case name, release, process, kexts, load }

  init(from decoder: any Decoder) throws {
    let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    release = try container.decodeIfPresent(String.self, forKey: .release)
    process = try container.decode(ProcessDocument.self, forKey: .process)
    kexts = try container.decode([KextDocument].self, forKey: .kexts)
    load = try container.decodeIfPresent([String].self, forKey: .load)
  }
}

struct ProcessDocument: Decodable {
  let process: Session.Process

  enum CodingKeys: String, CodingKey, CaseIterable { case pid, ppid, uid, gid, comm, parent, exe }

  init(from decoder: any Decoder) throws {
    let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
    process = Session.Process(
      pid: try container.integer(forKey: .pid),
      ppid: try container.integer(forKey: .ppid),
      uid: try container.integer(forKey: .uid),
      gid: container.contains(.gid) ? try container.integer(forKey: .gid) : 0,
      comm: try container.decode(String.self, forKey: .comm),
      parent: try container.decodeIfPresent(String.self, forKey: .parent),
      exe: try container.decodeIfPresent(String.self, forKey: .exe))
  }
}

struct KextDocument: Decodable {
  let kext: Session.Kext

  enum CodingKeys: String, CodingKey, CaseIterable {
    case id, version, path, base, size, status, executable, libraries
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
    // A JSON object has no order; dependencies are resolved in that of their identifiers.
    let libraries =
      try container.decodeIfPresent([String: KextVersion].self, forKey: .libraries) ?? [:]
    kext = Session.Kext(
      id: try container.decode(String.self, forKey: .id),
      version: try container.decode(KextVersion.self, forKey: .version),
      path: try container.decode(String.self, forKey: .path),
      base: try container.decode(Address.self, forKey: .base).value,
      size: try container.decode(Address.self, forKey: .size).value,
      status: container.contains(.status) ? try container.integer(forKey: .status) : 0,
      isExecutable: try container.decodeIfPresent(Bool.self, forKey: .executable) ?? true,
      libraries: libraries.sorted { $0.key < $1.key }.map(Session.Library.init))
  }
}

/// An unsigned number, also as a text such as `0xffffff7f8e0cd000`: JSON has no hexadecimal numbers.
struct Address: Decodable {
  let value: UInt64

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(UInt64.self) {
      value = number
      return
    }
    guard let text = try? container.decode(String.self), text.hasPrefix("0x"),
      let number = UInt64(text.dropFirst(2), radix: 16)
    else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "needed is a number of 64 bits, or a text such as \"0x16000\"")
    }
    value = number
  }
}

extension KextVersion: Decodable {
  /// Reads a version from a text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let version = KextVersion(parsing: text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "\"\(text)\" is not a kext version; needed is 1, 1.2, 1.2.3 or 1.2.3b4")
    }
    self = version
  }
}

extension KeyedDecodingContainer {
  /// A whole number; one that does not fit is refused with its place.
  fileprivate func integer<Value: FixedWidthInteger & Decodable>(forKey key: Key) throws -> Value {
    do {
      return try decode(Value.self, forKey: key)
    } catch let error as DecodingError {
      throw error
    } catch {
      // Foundation's own error for such a number names no place.
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self,
        debugDescription: "needed is a whole number in the range of \(Value.self)")
    }
  }
}

/// Any member of a JSON object.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// A container whose object has no members but the known ones, so that a misspelt one is not ignored.
  fileprivate func strictContainer<Key: CodingKey & CaseIterable>(
    keyedBy type: Key.Type
  ) throws -> KeyedDecodingContainer<Key> {
    let known = Key.allCases.map(\.stringValue)
    for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: codingPath,
          debugDescription:
            "\"\(key.stringValue)\" is not known here; known are \(known.joined(separator: ", "))"))
    }
    return try container(keyedBy: type)
  }
}
