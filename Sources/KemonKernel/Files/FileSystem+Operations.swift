// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

extension FileSystem {
  /// What the kernel's functions come back for.
  static let operations = kernel_file_operations(
    lookup: { context, path in
      guard let path else { return KERNEL_EINVAL }
      return FileSystem.with(context) { $0.lookup(path) }
    },
    put: { _, node in
      if let node { Vnode.put(node) }
    },
    getpath: { context, node, path, length in
      guard let node, let path, let length else { return KERNEL_EINVAL }
      return FileSystem.with(context) { files in
        let room = UnsafeMutableRawBufferPointer(start: path, count: Int(length.pointee))
        let (error, count) = files.path(of: node, into: room)
        if error == 0 { length.pointee = Int32(count) + 1 }
        return error
      }
    },
    policy: { context, policy, arguments, count in
      FileSystem.with(context) { files in
        files.policies.ask(
          PolicyCheck.Operation(number: Int(policy.rawValue)),
          UnsafeBufferPointer(start: arguments, count: Int(count)))
      }
    },
    create: { context, directory, result, name, attributes, caller in
      guard let directory, let result, let name, let attributes, let caller else {
        return KERNEL_EINVAL
      }
      return FileSystem.with(context) { files in
        files.create(
          name.pointee.bytes, in: Vnode.of(directory), attributes.pointee,
          for: ProcessContext.of(caller), result)
      }
    },
    open: { _, _, _, _ in 0 },
    remove: { context, directory, node, name in
      guard let directory, let node, let name else { return KERNEL_EINVAL }
      return FileSystem.with(context) {
        $0.remove(name.pointee.bytes, of: Vnode.of(node), in: Vnode.of(directory))
      }
    },
    rename: { context, fromDirectory, node, fromName, toDirectory, target, toName, flags in
      guard let fromDirectory, let node, let fromName, let toDirectory, let toName else {
        return KERNEL_EINVAL
      }
      return FileSystem.with(context) { files in
        files.rename(
          Name(Vnode.of(fromDirectory), fromName.pointee.bytes, Vnode.of(node)),
          Name(Vnode.of(toDirectory), toName.pointee.bytes, target.map { Vnode.of($0) }),
          RenameFlags(rawValue: flags))
      }
    },
    link: { context, node, directory, name in
      guard let node, let directory, let name else { return KERNEL_EINVAL }
      return FileSystem.with(context) {
        $0.link(Vnode.of(node), name.pointee.bytes, in: Vnode.of(directory))
      }
    },
    exchange: { context, first, second in
      guard let first, let second else { return KERNEL_EINVAL }
      return FileSystem.with(context) { $0.exchange(Vnode.of(first), Vnode.of(second)) }
    },
    setmode: { context, node, mode in
      guard let node else { return KERNEL_EINVAL }
      FileSystem.with(context) { files in
        files.lock.write { Vnode.of(node).mode = mode & 0o7777 }
      }
      vnode_uncache_authorized_action(node)
      return 0
    },
    contains: { context, directory, node in
      guard let directory, let node else { return 0 }
      return FileSystem.with(context) { files in
        files.reading { files.contains(Vnode.of(directory), Vnode.of(node)) } ? 1 : 0
      }
    })
}

extension kernel_componentname {
  /// The bytes of the name.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: cn_nameptr, count: Int(cn_namelen))
  }
}
