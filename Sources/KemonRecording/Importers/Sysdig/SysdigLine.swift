// SPDX-License-Identifier: Apache-2.0

/// A line of `sysdig -j`: one side of a system call.
struct SysdigLine: Decodable {
  /// Nanoseconds since 1970.
  let time: UInt64
  /// `>` where the call begins, `<` where it ends.
  let direction: String
  /// The system call, or what sysdig calls the event.
  let type: String
  private let argumentText: String?
  /// What the call returned, a negative errno when it failed.
  let result: Int64?
  let descriptor: Int64?
  let descriptorName: String?
  /// `f` file, `4` and `6` sockets by their family, `u` socket of this machine.
  let descriptorType: String?
  let pid: Int64?
  let tid: Int64?
  let ppid: Int64?
  let uid: Int64?
  let processName: String?
  let processPath: String?

  private enum CodingKeys: String, CodingKey {
    case time = "evt.rawtime"
    case direction = "evt.dir"
    case type = "evt.type"
    case argumentText = "evt.args"
    case result = "evt.rawres"
    case descriptor = "fd.num"
    case descriptorName = "fd.name"
    case descriptorType = "fd.typechar"
    case pid = "proc.pid"
    case tid = "thread.tid"
    case ppid = "proc.ppid"
    case uid = "user.uid"
    case processName = "proc.name"
    case processPath = "proc.exepath"
  }

  var argumentLength: Int { argumentText?.utf8.count ?? 0 }

  var arguments: SysdigArguments { SysdigArguments(argumentText ?? "") }

  /// The errno that the call ended with, 0 when it succeeded.
  var errorNumber: Int32 {
    guard let result, result < 0, result >= -4095 else { return 0 }
    return Int32(-result)
  }

  /// Which thread: the ends of its calls follow their beginnings.
  var thread: Int64 { tid ?? pid ?? 0 }
}
