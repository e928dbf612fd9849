// SPDX-License-Identifier: Apache-2.0

/// Numbers of the ELF format (System V gABI, chapters 4 and 5) and their names.
enum ELF {
  static let identSize = 16
  static let headerSize = 64
  static let segmentSize = 56
  static let sectionSize = 64
  static let symbolSize = 24
  static let dynamicSize = 16

  static let class32: UInt8 = 1
  static let class64: UInt8 = 2
  static let littleEndian: UInt8 = 1
  static let bigEndian: UInt8 = 2
  #if _endian(little)
    static let nativeOrder = littleEndian
  #else
    static let nativeOrder = bigEndian
  #endif

  static let typeShared: UInt16 = 3

  static let sectionStrings: UInt32 = 3
  static let sectionDynamic: UInt32 = 6
  static let sectionNoBits: UInt32 = 8
  static let sectionSymbols: UInt32 = 11
  static let sectionCompressed: UInt64 = 0x800

  static let segmentLoad: UInt32 = 1
  static let segmentStack: UInt32 = 0x6474_E551
  static let segmentExecutable: UInt32 = 1

  static let dynamicNeeded: UInt64 = 1
  static let dynamicRPath: UInt64 = 15
  static let dynamicTextRelocations: UInt64 = 22
  static let dynamicRunPath: UInt64 = 29
  static let dynamicFlags: UInt64 = 30
  static let flagTextRelocations: UInt64 = 4

  #if arch(x86_64)
    static let nativeMachine: UInt16 = 62
  #elseif arch(arm64)
    static let nativeMachine: UInt16 = 183
  #elseif arch(riscv64)
    static let nativeMachine: UInt16 = 243
  #else
    #error("the ELF machine number of this architecture is not in the table")
  #endif

  static func machineName(_ machine: UInt16) -> String {
    switch machine {
    case 3: "i386"
    case 8: "MIPS"
    case 20: "PowerPC"
    case 21: "PowerPC64"
    case 22: "S/390"
    case 40: "ARM"
    case 62: "x86-64"
    case 183: "AArch64"
    case 243: "RISC-V"
    default: "machine \(machine)"
    }
  }

  static func typeName(_ type: UInt16) -> String {
    switch type {
    case 1: "an object file (ET_REL)"
    case 2: "a program (ET_EXEC)"
    case 3: "a shared library (ET_DYN)"
    case 4: "a core dump (ET_CORE)"
    default: "ELF type \(type)"
    }
  }
}
