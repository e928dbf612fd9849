// SPDX-License-Identifier: Apache-2.0

/// The processes of a generated load.
enum LoadProcess {
  private static let programs: [(comm: String, exe: String)] = [
    ("Finder", "/System/Library/CoreServices/Finder.app/Contents/MacOS/Finder"),
    ("Safari", "/Applications/Safari.app/Contents/MacOS/Safari"),
    ("mdworker", "/System/Library/Frameworks/CoreServices.framework/mdworker"),
    ("bash", "/bin/bash"),
  ]

  /// How many programs each thread runs.
  static var count: Int { programs.count }

  /// A program of a user.
  static func user(_ number: Int, thread: Int) -> Session.Process {
    let program = programs[number]
    return Session.Process(
      name: program.comm, pid: Int32(1000 + thread * programs.count + number), ppid: 1, uid: 501,
      gid: 20, comm: program.comm, parent: "launchd", exe: program.exe)
  }

  /// The process of a thread that starts programs.
  static func shell(thread: Int) -> Session.Process {
    Session.Process(
      name: "sh", pid: Int32(500 + thread), ppid: 1, uid: 0, gid: 0, comm: "sh",
      parent: "launchd", exe: "/bin/sh")
  }

  /// All processes that are there when the load begins.
  static func all(threads: Int) -> [Session.Process] {
    [kextd]
      + (0..<threads).flatMap { thread in
        [shell(thread: thread)] + (0..<count).map { user($0, thread: thread) }
      }
  }

  /// The process that loads kexts.
  static let kextd = Session.Process(
    name: "kextd", pid: 59, ppid: 1, uid: 0, gid: 0, comm: "kextd", parent: "launchd",
    exe: "/usr/libexec/kextd")
}
