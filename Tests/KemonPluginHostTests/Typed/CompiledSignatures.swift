// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// A library that the C compiler makes of signatures: for each a function that keeps its arguments in `seen` and returns
/// what is in `given`.
final class CompiledSignatures {
  private let folder: ScratchFolder
  private let library: UnsafeMutableRawPointer
  /// Where a function keeps its arguments, 16 bytes or more for each; a pointer's target instead of the pointer.
  let seen: UnsafeMutableRawPointer
  /// What a function returns.
  let given: UnsafeMutableRawPointer

  init(_ signatures: [TypedSignature]) throws {
    folder = try ScratchFolder()
    var source = CSource()
    let file = try folder.write(source.functions(signatures), to: "functions.c")
    let result = try #require(Command("cc")).run([
      "-std=c17", "-O1", "-shared", "-fPIC", "-o", folder.file("lib.so"), file,
    ])
    try #require(result.status == 0, "\(result.text.prefix(2000))")
    library = try #require(dlopen(folder.file("lib.so"), RTLD_NOW | RTLD_LOCAL))
    seen = try #require(dlsym(library, "seen"))
    given = try #require(dlsym(library, "given"))
  }

  deinit { dlclose(library) }

  func function(_ index: Int) throws -> UnsafeRawPointer {
    UnsafeRawPointer(try #require(dlsym(library, "f\(index)")))
  }

  /// Where the arguments of a signature are kept.
  static func places(_ signature: TypedSignature) -> [Int] {
    var end = 0
    return signature.fields.map { field in
      defer { end += max(16, (field.type.size + 15) & ~15) }
      return end
    }
  }
}

/// C for signatures.
private struct CSource {
  private var structures: [String: String] = [:]
  private var definitions = ""

  mutating func functions(_ signatures: [TypedSignature]) -> String {
    var text = "_Alignas(16) char seen[65536], given[65536];\n"
    for (index, signature) in signatures.enumerated() {
      let result = signature.result.map { name($0) } ?? "void"
      text += "\(result) f\(index)(void *ctx"
      for (number, field) in signature.fields.enumerated() {
        text +=
          field.type == .bytes
          ? ", const void *a\(number), size_t n\(number)" : ", \(name(field.type)) a\(number)"
      }
      text += ") {\n  if (ctx != given) abort();\n"
      for (number, place) in CompiledSignatures.places(signature).enumerated() {
        text += keep(signature.fields[number].type, number, place)
      }
      if signature.result != nil {
        text += "  \(result) result;\n  memcpy(&result, given, sizeof result);\n  return result;\n"
      }
      text += "}\n"
    }
    let head =
      "#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\n"
    return head + definitions + text
  }

  private func keep(_ type: TypedType, _ number: Int, _ place: Int) -> String {
    switch type {
    case .bytes:
      "  memcpy(seen + \(place), &a\(number), 8); memcpy(seen + \(place + 8), &n\(number), 8);\n"
    case .pointer:
      "  memset(seen + \(place), 0xEE, 8);\n"
        + "  if (a\(number)) memcpy(seen + \(place), a\(number), sizeof *a\(number));\n"
    default: "  memcpy(seen + \(place), &a\(number), sizeof a\(number));\n"
    }
  }

  private mutating func name(_ type: TypedType) -> String {
    switch type {
    case .scalar(.address): return "uint64_t"
    case .scalar(let scalar): return scalar.cName
    case .pointer(let scalar): return "const \(name(.scalar(scalar))) *"
    case .text: return "const char *"
    case .bytes, .event: return "const void *"
    case .structure(let members):
      if let known = structures[type.text] { return known }
      let fields = members.enumerated().map { "\(name($1)) m\($0);" }.joined(separator: " ")
      let new = "struct s\(structures.count)"
      structures[type.text] = new
      definitions += "\(new) { \(fields) };\n"
      definitions += "_Static_assert(sizeof(\(new)) == \(type.size), \"size\");\n"
      return new
    }
  }
}
