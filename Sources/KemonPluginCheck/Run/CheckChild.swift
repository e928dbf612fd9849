// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonPluginTesting
import KemonText

/// The side of a check that runs in a process of its own.
public enum CheckChild {
  /// Runs one check and says on the board how it ended; the caller exits then.
  ///
  /// - Parameters:
  ///   - id: the check.
  ///   - file: the plugin's file.
  ///   - configuration: JSON, an object.
  ///   - seed: what random events follow from.
  ///   - limit: nanoseconds that the check may take.
  ///   - budget: nanoseconds for an event.
  /// - Returns: false when this process is not one of a check.
  public static func run(
    check id: String, file: String, configuration: String, seed: UInt64, limit: UInt64,
    budget: UInt64
  ) -> Bool {
    guard let check = CheckTable.check(id), let board = CheckBoard(mapping: CheckBoard.descriptor),
      let config = try? JSONValue(parsing: configuration), ckemon_end_with(board.owner) == 0
    else { return false }
    restrict(RLIMIT_CORE, to: 0)
    // What the plugin starts may outlive all that watch it, but does not spin for ever.
    let processors = UInt64(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    restrict(RLIMIT_CPU, to: (limit / 1_000_000_000 + 1) * processors)
    let subject = Subject(
      file: file, configuration: config, seed: seed, budget: budget, board: board)
    do throws(Finding) {
      let note = try check.body(subject)
      board.finish(.passed, note ?? "")
    } catch {
      switch error {
      case .failed(let message): board.finish(.failed, message)
      case .skipped(let reason): board.finish(.skipped, reason)
      }
    }
    return true
  }

  private static func restrict(_ resource: __rlimit_resource, to value: UInt64) {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
    let value = min(rlim_t(value), limit.rlim_max)
    limit = rlimit(rlim_cur: value, rlim_max: value)
    setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
  }
}

extension ConfigValue {
  /// A parsed configuration.
  init(_ value: JSONValue) {
    self =
      switch value {
      case .null: .null
      case .bool(let truth): .boolean(truth)
      case .integer(let number): .integer(number)
      case .number(let number): .number(number)
      case .string(let text): .string(text)
      case .array(let elements): .array(elements.map(ConfigValue.init))
      case .object(let members): .object(members.mapValues(ConfigValue.init))
      }
  }
}
