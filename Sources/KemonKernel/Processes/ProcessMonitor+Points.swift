// SPDX-License-Identifier: Apache-2.0

internal import KemonHooks

extension ProcessMonitor {
  /// A function of the kernel that is hooked, and what is called before and after it.
  struct Point {
    let function: String
    var pre: HookHandlers.Pre?
    var post: HookHandlers.Post?
  }

  /// The hook points.
  static let points: [Point] = [
    Point(
      function: "fork1",
      pre: { context, frame in ProcessMonitor.with(context) { $0.willFork(frame) } },
      post: { context, frame in ProcessMonitor.with(context) { $0.didFork(frame) } }),
    Point(
      function: "__mac_execve",
      pre: { context, frame in
        ProcessMonitor.with(context) { $0.willExecute(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in ProcessMonitor.with(context) { $0.didExecute(frame) } }),
    Point(
      function: "kernel_posix_spawn",
      pre: { context, frame in
        ProcessMonitor.with(context) { $0.willExecute(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in
        ProcessMonitor.with(context) { $0.didExecute(frame, isSpawn: true) }
      }),
    Point(
      function: "exec_extract_strings",
      post: { context, frame in ProcessMonitor.with(context) { $0.didExtract(frame) } }),
    Point(
      function: "exec_handle_sugid",
      post: { context, frame in ProcessMonitor.with(context) { $0.didCommit(frame) } }),
    Point(
      function: "proc_exit",
      pre: { context, frame in
        ProcessMonitor.with(context) { monitor in
          if let process = monitor.process(frame.pointee.rdi) { monitor.records.exit(process) }
        }
        return Int32(CKEMON_PROCEED)
      }),
    Point(
      function: "ptrace_attach",
      pre: { context, frame in
        ProcessMonitor.with(context) { $0.willTrace(frame, method: TraceMethod.ptrace) }
      },
      post: { context, frame in
        ProcessMonitor.with(context) { $0.didTrace(frame, method: TraceMethod.ptrace) }
      }),
    Point(
      function: "task_for_pid",
      pre: { context, frame in
        ProcessMonitor.with(context) { $0.willTrace(frame, method: TraceMethod.taskPort) }
      },
      post: { context, frame in
        ProcessMonitor.with(context) { $0.didTrace(frame, method: TraceMethod.taskPort) }
      }),
    Point(
      function: "mac_file_check_mmap",
      pre: { context, frame in ProcessMonitor.with(context) { $0.willMap(frame) } }),
    Point(
      function: "cs_invalid_page",
      post: { context, frame in ProcessMonitor.with(context) { $0.didFindInvalidPage(frame) } }),
  ]

  /// How one process gets hold of another one.
  enum TraceMethod {
    static let ptrace: UInt32 = 1
    static let taskPort: UInt32 = 2
  }
}
