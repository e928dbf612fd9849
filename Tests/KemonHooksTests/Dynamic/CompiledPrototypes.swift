// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  import Glibc
  import KemonTestSupport
  import Testing

  @testable import KemonHooks

  /// A library that the C compiler makes of prototypes: for each a function, and another one that calls it.
  ///
  /// A function keeps its arguments where ``seen(by:)`` finds them and returns what ``give(_:)`` was told. A caller takes
  /// the arguments from memory and keeps the result for ``got(by:)``.
  final class CompiledPrototypes {
    let prototypes: [DynamicPrototype]
    private let folder: ScratchFolder
    private let library: UnsafeMutableRawPointer
    private let seen, given, got: UnsafeMutableRawPointer
    private let calls: UnsafeMutablePointer<Int>
    private let input = UnsafeMutableRawPointer.allocate(
      byteCount: CompiledPrototypes.room, alignment: 16)

    /// Bytes of all arguments of a call, or of a result.
    private static let room = 1 << 16

    init(_ prototypes: [DynamicPrototype]) throws {
      self.prototypes = prototypes
      folder = try ScratchFolder()
      var source = CSource()
      let functions = try folder.write(source.functions(prototypes), to: "functions.c")
      let callers = try folder.write(source.callers(prototypes), to: "callers.c")
      let compiler = try #require(Command("cc"))
      let result = try compiler.run([
        "-std=c17", "-O1", "-shared", "-fPIC", "-o", folder.file("lib.so"), functions, callers,
      ])
      try #require(result.status == 0, "\(result.text.prefix(2000))")
      let library = try #require(dlopen(folder.file("lib.so"), RTLD_NOW | RTLD_LOCAL))
      self.library = library
      seen = try #require(dlsym(library, "seen"))
      given = try #require(dlsym(library, "given"))
      got = try #require(dlsym(library, "got"))
      calls = try #require(dlsym(library, "calls")).assumingMemoryBound(to: Int.self)
    }

    deinit {
      dlclose(library)
      input.deallocate()
    }

    func function(_ index: Int) throws -> UnsafeRawPointer {
      UnsafeRawPointer(try #require(dlsym(library, "f\(index)")))
    }

    /// How often functions ran since this was read last.
    var callCount: Int {
      defer { calls.pointee = 0 }
      return calls.pointee
    }

    /// Says what a function shall return.
    func give(_ value: DynamicValue, from index: Int) throws {
      try value.store(as: prototypes[index].result, at: given)
    }

    /// Lets the compiled caller call its function.
    func call(_ index: Int, _ arguments: [DynamicValue]) throws {
      let caller = try #require(dlsym(library, "c\(index)"))
      for (place, (type, value)) in zip(places(index), zip(prototypes[index].arguments, arguments))
      {
        try value.store(as: type, at: input + place)
      }
      unsafeBitCast(caller, to: (@convention(c) (UnsafeRawPointer) -> Void).self)(input)
    }

    /// The arguments that the function saw.
    func seen(by index: Int) -> [DynamicValue] {
      zip(places(index), prototypes[index].arguments).map { DynamicValue($1, at: seen + $0) }
    }

    /// The result that the caller got.
    func got(by index: Int) -> DynamicValue {
      DynamicValue(prototypes[index].result, at: got)
    }

    private func places(_ index: Int) -> [Int] { CSource.places(prototypes[index]) }
  }

  /// C for prototypes.
  private struct CSource {
    private var structures: [DynamicType: String] = [:]
    private var definitions = ""

    static func places(_ prototype: DynamicPrototype) -> [Int] {
      var end = 0
      return prototype.arguments.map { type in
        defer { end += (type.size + 15) & ~15 }
        return end
      }
    }

    private static let head = """
      #include <stdarg.h>
      #include <stdbool.h>
      #include <stddef.h>
      #include <stdint.h>
      #include <string.h>

      """

    mutating func functions(_ prototypes: [DynamicPrototype]) -> String {
      var text = "_Alignas(16) char seen[65536], given[65536], got[65536];\nlong calls;\n"
      for (index, prototype) in prototypes.enumerated() {
        let fixed = prototype.fixedCount ?? prototype.arguments.count
        text += "\(declaration(index, prototype)) {\n  calls++;\n"
        if prototype.fixedCount != nil {
          text += "  va_list list;\n  va_start(list, a\(fixed - 1));\n"
          for (number, type) in prototype.arguments.enumerated().dropFirst(fixed) {
            text += "  \(name(type)) a\(number) = va_arg(list, \(name(type)));\n"
          }
          text += "  va_end(list);\n"
        }
        for (number, place) in Self.places(prototype).enumerated() {
          text += "  memcpy(seen + \(place), &a\(number), sizeof a\(number));\n"
        }
        if prototype.result != .scalar(.void) {
          let type = name(prototype.result)
          text += "  \(type) result;\n  memcpy(&result, given, sizeof result);\n  return result;\n"
        }
        text += "}\n"
      }
      return Self.head + definitions + text
    }

    mutating func callers(_ prototypes: [DynamicPrototype]) -> String {
      var text = "extern char got[];\n"
      for (index, prototype) in prototypes.enumerated() {
        text += "\(declaration(index, prototype));\nvoid c\(index)(const char *input) {\n"
        for (number, place) in Self.places(prototype).enumerated() {
          let type = name(prototype.arguments[number])
          text += "  \(type) a\(number);\n"
          text += "  memcpy(&a\(number), input + \(place), sizeof a\(number));\n"
        }
        let names = prototype.arguments.indices.map { "a\($0)" }.joined(separator: ", ")
        if prototype.result == .scalar(.void) {
          text += "  f\(index)(\(names));\n}\n"
        } else {
          text += "  \(name(prototype.result)) result = f\(index)(\(names));\n"
          text += "  memcpy(got, &result, sizeof result);\n}\n"
        }
      }
      return Self.head + definitions + text
    }

    private mutating func declaration(_ index: Int, _ prototype: DynamicPrototype) -> String {
      var parameters = prototype.arguments.enumerated()
        .prefix(prototype.fixedCount ?? prototype.arguments.count)
        .map { "\(name($1)) a\($0)" }
      if prototype.fixedCount != nil { parameters.append("...") }
      let list = parameters.isEmpty ? "void" : parameters.joined(separator: ", ")
      return "\(name(prototype.result)) f\(index)(\(list))"
    }

    private mutating func name(_ type: DynamicType) -> String {
      switch type {
      case .longDouble: return "long double"
      case .scalar(.ptr): return "void *"
      case .scalar(.cstr): return "const char *"
      case .scalar(.f32): return "float"
      case .scalar(.f64): return "double"
      case .scalar(.void): return "void"
      case .scalar(.bool): return "bool"
      case .scalar(let type):
        return "\(type.rawValue.first == "u" ? "u" : "")int\(type.rawValue.dropFirst())_t"
      case .structure(let members):
        if let known = structures[type] { return known }
        let fields = members.enumerated().map { "\(name($1)) m\($0);" }.joined(separator: " ")
        let new = "struct s\(structures.count)"
        structures[type] = new
        definitions += "\(new) { \(fields) };\n"
        definitions += "_Static_assert(sizeof(\(new)) == \(type.size), \"size\");\n"
        var number = 0
        DynamicType.forEachMember(of: members) { _, offset in
          let place = "offsetof(\(new), m\(number))"
          definitions += "_Static_assert(\(place) == \(offset), \"offset\");\n"
          number += 1
        }
        return new
      }
    }
  }
#endif
