// SPDX-License-Identifier: Apache-2.0

/// Values by address.
///
/// Not a dictionary: the run-time system makes the types of one when it is first used, and looks through all libraries of
/// the process for how its keys are hashed. That took a third of the first hook.
struct AddressMap<Value> {
  // Open addressing; a key of 0 is a free place. Nothing is ever removed.
  private var keys: [UInt] = []
  private var values: [Value?] = []
  private var count = 0

  /// The place of a key, or the free one where it belongs.
  private func place(of key: UInt) -> Int {
    let mask = keys.count - 1
    // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
    var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while keys[place] != 0, keys[place] != key { place = (place + 1) & mask }
    return place
  }

  subscript(key: UInt) -> Value? {
    guard !keys.isEmpty else { return nil }
    let place = place(of: key)
    return keys[place] == key ? values[place] : nil
  }

  subscript(key: UInt, default initial: @autoclosure () -> Value) -> Value {
    get { self[key] ?? initial() }
    _modify {
      let place = insert(key)
      var value = values[place] ?? initial()
      // Held once only, so that changing it does not copy.
      values[place] = nil
      defer { values[place] = value }
      yield &value
    }
  }

  private mutating func insert(_ key: UInt) -> Int {
    precondition(key != 0, "0 is no address")
    if keys.count < 2 * (count + 1) { grow() }
    let place = place(of: key)
    if keys[place] == 0 {
      keys[place] = key
      count += 1
    }
    return place
  }

  private mutating func grow() {
    let old = (keys, values)
    let size = max(16, 2 * keys.count)
    keys = [UInt](repeating: 0, count: size)
    values = [Value?](repeating: nil, count: size)
    for (key, value) in zip(old.0, old.1) where key != 0 {
      let place = place(of: key)
      keys[place] = key
      values[place] = value
    }
  }
}
