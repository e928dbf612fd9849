// SPDX-License-Identifier: Apache-2.0

/// Times as logs write them.
enum TimeStamp {
  /// Nanoseconds since 1970 of a time like `2018-08-19T03:09:13.120Z`; nil for anything else.
  ///
  /// Years are 1970 to 2553: nanoseconds of later ones do not fit.
  static func nanoseconds(_ text: Substring) -> UInt64? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
    for (place, separator) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")] {
      guard bytes[place] == separator.utf8.first else { return nil }
    }
    guard let year = number(bytes[0..<4]), 1970..<2554 ~= year,
      let month = number(bytes[5..<7]), 1...12 ~= month,
      let day = number(bytes[8..<10]), 1...31 ~= day,
      let hour = number(bytes[11..<13]), hour < 24,
      let minute = number(bytes[14..<16]), minute < 60,
      let second = number(bytes[17..<19]), second <= 60
    else { return nil }
    var fraction: UInt64 = 0
    let rest = bytes[19..<bytes.count - 1]
    if !rest.isEmpty {
      guard rest.first == UInt8(ascii: "."), 2...10 ~= rest.count,
        let digits = number(rest.dropFirst())
      else { return nil }
      fraction = (rest.count..<10).reduce(digits) { value, _ in value * 10 }
    }
    let days = daysSince1970(year: Int(year), month: Int(month), day: Int(day))
    let seconds = UInt64(days) * 86_400 + hour * 3600 + minute * 60 + second
    return seconds * 1_000_000_000 + fraction
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
      value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
    }
    return value
  }

  /// Days of the Gregorian calendar; years begin in March, so that the leap day is the last.
  private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
  }
}
