// SPDX-License-Identifier: Apache-2.0

internal import KemonHooks

extension FilesMonitor {
  /// A function of the kernel that is hooked, and what is called before and after it.
  struct Point {
    let function: String
    let pre: HookHandlers.Pre
    let post: HookHandlers.Post?
    var hasStackArguments = false
    var isLookup = false
  }

  /// The hook points, outer ones first.
  static let points: [Point] = [
    Point(
      function: "vn_open_auth",
      pre: { context, frame in
        FilesMonitor.with(context) { $0.willOpen(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in FilesMonitor.with(context) { $0.didOpen(frame) } }),
    Point(
      function: "renameat_internal",
      pre: { context, frame in
        FilesMonitor.with(context) { $0.willCall(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in FilesMonitor.with(context) { $0.didCall(frame) } }),
    Point(
      function: "unlinkat_internal",
      pre: { context, frame in
        FilesMonitor.with(context) { $0.willCall(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in FilesMonitor.with(context) { $0.didCall(frame) } }),
    Point(
      function: "rmdirat_internal",
      pre: { context, frame in
        FilesMonitor.with(context) { $0.willCall(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in FilesMonitor.with(context) { $0.didCall(frame) } }),
    Point(
      function: "linkat_internal",
      pre: { context, frame in
        FilesMonitor.with(context) { $0.willCall(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in FilesMonitor.with(context) { $0.didCall(frame) } }),
    Point(
      function: "exchangedata",
      pre: { context, frame in
        FilesMonitor.with(context) { $0.willCall(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in FilesMonitor.with(context) { $0.didCall(frame) } }),
    Point(
      function: "close_internal",
      pre: { context, frame in
        FilesMonitor.with(context) { $0.willClose(frame) }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in FilesMonitor.with(context) { $0.didCall(frame) } }),
    Point(
      function: "vn_authorize_open_existing",
      pre: { context, frame in FilesMonitor.with(context) { $0.willOpenExisting(frame) } },
      post: nil),
    Point(
      function: "vn_authorize_create",
      pre: { context, frame in FilesMonitor.with(context) { $0.willCreate(frame) } },
      post: nil),
    Point(
      function: "vn_authorize_renamex",
      pre: { context, frame in FilesMonitor.with(context) { $0.willRename(frame) } },
      post: nil, hasStackArguments: true),
    Point(
      function: "vn_authorize_unlink",
      pre: { context, frame in FilesMonitor.with(context) { $0.willRemove(frame) } },
      post: nil),
    Point(
      function: "vn_authorize_rmdir",
      pre: { context, frame in FilesMonitor.with(context) { $0.willRemove(frame) } },
      post: nil),
    Point(
      function: "mac_vnode_check_link",
      pre: { context, frame in FilesMonitor.with(context) { $0.willLink(frame) } },
      post: nil),
    Point(
      function: "mac_vnode_check_exchangedata",
      pre: { context, frame in FilesMonitor.with(context) { $0.willExchange(frame) } },
      post: nil),
    Point(
      function: "mac_vnode_check_lookup",
      pre: { context, frame in FilesMonitor.with(context) { $0.willLookUp(frame) } },
      post: { context, frame in FilesMonitor.with(context) { $0.didCall(frame) } }, isLookup: true),
  ]
}
