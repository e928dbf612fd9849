// SPDX-License-Identifier: Apache-2.0

import KemonKernel
import KemonText

/// What is known of a kext, for people and for programs.
enum KextReport {
  // MARK: For people

  static func text(of kext: KextFile) -> String {
    var lines = [
      row("kext", "\(kext.identifier ?? "-") \(kext.version ?? "-")"),
      row("file", kext.executable),
    ]
    if let info = kext.info {
      if let required = info.required { lines.append(row("required", required)) }
      for (id, version) in info.libraries.sorted(by: { $0.key < $1.key }) {
        lines.append(row("needs", "\(id) \(version)"))
      }
    }
    for case .success(let image) in kext.slices { lines += [""] + text(of: image) }
    return lines.map(PrintableText.escape).joined(separator: "\n")
  }

  private static func text(of image: KextImage) -> [String] {
    var lines = [
      row("slice", image.architecture.rawValue),
      row("kmod", "\(image.identifier ?? "-") \(image.version ?? "-")"),
      row("memory", "\(hex(image.base)), \(hex(image.size)) bytes"),
    ]
    if let uuid = image.uuid { lines.append(row("uuid", uuidText(uuid))) }
    lines.append(
      row("start", "\(image.start.map(hex) ?? "-") \(image.startSymbol ?? "")"))
    lines += image.startListing().map { row("", $0) }
    lines.append(row("stop", image.stop.map(hex) ?? "-"))
    lines.append(
      row(
        "imports",
        "\(image.imports.count)\(image.registersPolicies ? ", mac_policy_register among them" : "")"
      ))
    lines += image.imports.map { row("", $0) }
    for policy in image.policies {
      lines.append(
        row(
          "policy",
          "\(policy.name) (\(policy.fullName)), flags \(hex(UInt64(policy.loadtimeFlags))), "
            + "conf \(hex(policy.conf)), ops \(hex(policy.ops))"))
      lines += policy.handlers.map { handler in
        row("", "slot \(handler.slot): \(hex(handler.address)) \(handler.symbol ?? "")")
      }
    }
    return lines
  }

  private static func row(_ label: String, _ text: String) -> String {
    let line = label + String(repeating: " ", count: 10 - label.count) + text
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  private static func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }

  private static func uuidText(_ bytes: [UInt8]) -> String {
    let digits = bytes.map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
    let parts = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }
    return parts.joined(separator: "-").uppercased()
  }

  // MARK: For programs

  static func json(of kext: KextFile) -> JSONValue {
    .object([
      "path": .string(kext.path), "executable": .string(kext.executable),
      "identifier": text(kext.identifier), "version": text(kext.version),
      "required": text(kext.info?.required),
      "libraries": .object((kext.info?.libraries ?? [:]).mapValues { .string($0) }),
      "slices": .array(kext.slices.map(json)),
    ])
  }

  private static func json(_ slice: KextFile.Slice) -> JSONValue {
    switch slice {
    case .success(let image): json(image)
    case .failure(let error):
      .object(["error": .string(error.message), "offset": .string(hex(error.offset))])
    }
  }

  private static func json(_ image: KextImage) -> JSONValue {
    .object([
      "architecture": .string(image.architecture.rawValue),
      "identifier": text(image.identifier), "version": text(image.version),
      "uuid": text(image.uuid.map(uuidText)),
      // Texts, because JSON's numbers have no 64 bits everywhere.
      "base": .string(hex(image.base)), "size": .string(hex(image.size)),
      "start": text(image.start.map(hex)), "start_symbol": text(image.startSymbol),
      "start_listing": .array(image.startListing().map { .string($0) }),
      "stop": text(image.stop.map(hex)),
      "imports": .array(image.imports.map { .string($0) }),
      "policies": .array(image.policies.map(json)),
    ])
  }

  private static func json(_ policy: DeclaredPolicy) -> JSONValue {
    .object([
      "name": .string(policy.name), "full_name": .string(policy.fullName),
      "loadtime_flags": .integer(Int64(policy.loadtimeFlags)),
      "conf": .string(hex(policy.conf)), "ops": .string(hex(policy.ops)),
      "handlers": .array(
        policy.handlers.map { handler in
          .object([
            "slot": .integer(Int64(handler.slot)), "address": .string(hex(handler.address)),
            "symbol": text(handler.symbol),
          ])
        }),
    ])
  }

  private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}
