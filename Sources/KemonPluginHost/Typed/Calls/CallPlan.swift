// SPDX-License-Identifier: Apache-2.0

internal import CFFI
import KemonEvents

/// Everything that calling a function for a record takes, in memory that never changes.
///
/// Running it allocates nothing and counts no references. ``CallPlanMemory`` owns what the pointers lead to.
struct CallPlan {
  let steps: UnsafePointer<CallStep>
  let stepCount: Int
  /// Where the last value ends when all are plain numbers of the payload, as most are; else 0.
  let plainEnd: UInt32
  let lane: CallLane
  /// Words of the arguments, context and verdict among them, and of the whole frame.
  let argumentWords: Int
  let frameWords: Int
  /// The words that ``cffi_call_words`` reads: those behind the frame's are passed in vain.
  let passedWords: Int
  /// For libffi: its description, and the word of each argument of C.
  let cif: UnsafeMutablePointer<ffi_cif>?
  let words: UnsafePointer<UInt16>
  let wordCount: Int

  /// What a function is called with beside the values of the record.
  struct Target {
    let function: UnsafeRawPointer
    let context: UnsafeMutableRawPointer?
  }

  /// Calls a function for a record: any thread.
  ///
  /// - Returns: what the function returned; nil when it was not called, because the record lacks a value that it needs.
  @inline(__always)
  func call(
    _ target: Target, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>?
  ) -> kemon_status? {
    switch lane {
    case .fast: callFast(target, event, verdict)
    case .ffi: callFFI(target, event, verdict)
    case .words: callWords(target, event, verdict)
    }
  }

  /// Words that are enough for the arguments of the fast lane and what they may point at.
  private static let fastFrame = CallLayout.fastWords * 2

  @inline(__always)
  private func callFast(
    _ target: Target, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>?
  ) -> kemon_status? {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.fastFrame) { buffer in
      guard let frame = buffer.baseAddress, fill(frame, from: event) else { return nil }
      frame[0] = Self.word(target.context)
      frame[argumentWords - 1] = Self.word(verdict)
      var index = frameWords
      while index < passedWords {
        frame[index] = 0
        index += 1
      }
      return kemon_status(
        truncatingIfNeeded: cffi_call_words(target.function, frame, UInt32(argumentWords)))
    }
  }

  private func callFFI(
    _ target: Target, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>?
  ) -> kemon_status? {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: frameWords) { buffer in
      guard let frame = buffer.baseAddress, fill(frame, from: event) else { return nil }
      frame[0] = Self.word(target.context)
      frame[argumentWords - 1] = Self.word(verdict)
      return withUnsafeTemporaryAllocation(
        of: UnsafeMutableRawPointer?.self, capacity: wordCount
      ) { arguments in
        for index in 0..<wordCount {
          // Little endian: a shorter value begins where its word does.
          arguments[index] = UnsafeMutableRawPointer(frame + Int(words[index]))
        }
        var result = ffi_arg()
        cffi_call(cif, target.function, &result, arguments.baseAddress)
        return kemon_status(truncatingIfNeeded: result)
      }
    }
  }

  private func callWords(
    _ target: Target, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>?
  ) -> kemon_status? {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(frameWords, 1)) { buffer in
      guard let frame = buffer.baseAddress, fill(frame, from: event) else { return nil }
      typealias Function =
        @convention(c) (
          UnsafeMutableRawPointer?, UnsafePointer<UInt64>, UnsafeMutablePointer<kemon_verdict>?
        ) -> kemon_status
      return unsafeBitCast(target.function, to: Function.self)(target.context, frame, verdict)
    }
  }

  @inline(__always)
  private static func word(_ pointer: UnsafeMutableRawPointer?) -> UInt64 {
    UInt64(UInt(bitPattern: pointer))
  }

  @inline(__always)
  private static func word(_ pointer: UnsafeMutablePointer<kemon_verdict>?) -> UInt64 {
    UInt64(UInt(bitPattern: pointer))
  }

  // MARK: Values

  /// Fetches the values of a record.
  ///
  /// - Returns: false when one is missing that the signature needs.
  @inline(__always)
  private func fill(
    _ frame: UnsafeMutablePointer<UInt64>, from event: UnsafePointer<kemon_event>
  ) -> Bool {
    let record = UnsafeRawPointer(event)
    let segments = Segments(event)
    if plainEnd > 0 {
      let (base, end) = segments.bounds(of: .payload)
      if base + Int(plainEnd) <= end {
        copy(from: record + base, to: frame)
        return true
      }
    }
    for index in 0..<stepCount {
      let step = steps + index
      let (base, end) = segments.bounds(of: step.pointee.segment)
      let place = Int(step.pointee.place)
      let load = step.pointee.load
      guard base + Int(step.pointee.end) <= end, load != .absent else {
        if step.pointee.isRequired { return false }
        Self.clear(step, frame)
        continue
      }
      let address = record + base + Int(step.pointee.offset)
      switch load {
      case .uint16: frame[place] = UInt64(address.loadUnaligned(as: UInt16.self))
      case .uint32: frame[place] = UInt64(address.loadUnaligned(as: UInt32.self))
      case .int32:
        frame[place] = UInt64(bitPattern: Int64(address.loadUnaligned(as: Int32.self)))
      case .word: frame[place] = address.loadUnaligned(as: UInt64.self)
      case .text: frame[place] = segments.text(address).address
      case .bytes: (frame[place], frame[place + 1]) = segments.text(address)
      case .event: frame[place] = UInt64(UInt(bitPattern: event))
      case .absent: break
      }
      if step.pointee.conversion != .none { Self.convert(step, frame) }
      if step.pointee.pointer != CallStep.noPointer {
        frame[Int(step.pointee.pointer)] = UInt64(UInt(bitPattern: frame + place))
      }
    }
    return true
  }

  /// Fetches plain numbers of a payload that has all of them.
  @inline(__always)
  private func copy(from payload: UnsafeRawPointer, to frame: UnsafeMutablePointer<UInt64>) {
    for index in 0..<stepCount {
      let step = steps + index
      let address = payload + Int(step.pointee.offset)
      frame[Int(step.pointee.place)] =
        switch step.pointee.load {
        case .uint16: UInt64(address.loadUnaligned(as: UInt16.self))
        case .uint32: UInt64(address.loadUnaligned(as: UInt32.self))
        case .int32: UInt64(bitPattern: Int64(address.loadUnaligned(as: Int32.self)))
        default: address.loadUnaligned(as: UInt64.self)
        }
    }
  }

  private static func clear(_ step: UnsafePointer<CallStep>, _ frame: UnsafeMutablePointer<UInt64>)
  {
    frame[Int(step.pointee.place)] = 0
    if step.pointee.load == .bytes { frame[Int(step.pointee.place) + 1] = 0 }
    if step.pointee.pointer != CallStep.noPointer { frame[Int(step.pointee.pointer)] = 0 }
  }

  private static func convert(
    _ step: UnsafePointer<CallStep>, _ frame: UnsafeMutablePointer<UInt64>
  ) {
    let word = frame[Int(step.pointee.place)]
    frame[Int(step.pointee.place)] =
      switch step.pointee.conversion {
      case .none: word
      case .unsignedToDouble: Double(word).bitPattern
      case .signedToDouble: Double(Int64(bitPattern: word)).bitPattern
      case .unsignedToFloat: UInt64(Float(word).bitPattern)
      case .signedToFloat: UInt64(Float(Int64(bitPattern: word)).bitPattern)
      }
  }

  /// The number of the first field that a record lacks and the signature needs.
  func missingField(in event: UnsafePointer<kemon_event>) -> Int? {
    let segments = Segments(event)
    let step = UnsafeBufferPointer(start: steps, count: stepCount).first { step in
      let (base, end) = segments.bounds(of: step.segment)
      return step.isRequired && base + Int(step.end) > end
    }
    return step.map { Int($0.field) }
  }
}
