// SPDX-License-Identifier: Apache-2.0

extension SessionType {
  /// What is needed, in the words of an error message.
  var words: String {
    switch self {
    case .text: "a text without NUL"
    case .shortText(let range): "\(range.lowerBound) to \(range.upperBound) bytes, without NUL"
    case .path: "an absolute path"
    case .choice(let names): "one of \(names.joined(separator: ", "))"
    case .flag: "true or false"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .address: "a number of 64 bits, or a text such as \"0x16000\""
    case .version: "1, 1.2, 1.2.3 or 1.2.3b4"
    case .bytes: "hexadecimal digits, two a byte"
    case .process: "the name of a process"
    case .kext: "the identifier of a kext"
    case .list: "a list"
    case .map, .object, .oneOf: "an object"
    case .short: "an object, or its main member alone"
    }
  }
}
