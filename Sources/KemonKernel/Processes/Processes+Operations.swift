// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

extension Processes {
  /// What the kernel's functions come back for.
  static let operations = kernel_process_operations(
    policy: { context, policy, arguments, count in
      Processes.with(context) { processes in
        processes.policies.ask(
          Int(policy.rawValue), UnsafeBufferPointer(start: arguments, count: Int(count)))
      }
    },
    flags: { _, process in process.map { ModelProcess.of($0).kernelFlags } ?? 0 },
    uid: { _, process in process.map { ModelProcess.of($0).context.credential.user } ?? .max },
    check_limits: { context, parent in
      guard let parent else { return KERNEL_EINVAL }
      return Processes.with(context) { $0.checkLimits(for: ModelProcess.of(parent)) }
    },
    cloneproc: { context, parent, child in
      guard let parent, let child else { return KERNEL_EINVAL }
      return Processes.with(context) { processes in
        guard let made = processes.clone(ModelProcess.of(parent)) else { return KERNEL_EAGAIN }
        child.pointee = made.pointer
        return 0
      }
    },
    getattr: { context, node, attributes in
      guard let node, let attributes else { return }
      Processes.with(context) { attributes.pointee = $0.attributes(of: Vnode.of(node)) }
    },
    read: { context, node, offset, data, room, length in
      guard let node, let data, let length else { return }
      Processes.with(context) { processes in
        let room = UnsafeMutableRawBufferPointer(start: data, count: room)
        length.pointee = processes.read(Vnode.of(node), at: offset, into: room)
      }
    },
    dylinker: { context in
      Processes.with(context) { processes in
        (try? processes.files.vnode("/usr/lib/dyld"))?.held()
      }
    },
    fdexec: { _, process in
      guard let process else { return }
      ModelProcess.of(process).context.descriptors.withLock { $0.removeClosedOnExec() }
    },
    become: { context, parameters in
      guard let parameters else { return }
      Processes.with(context) { $0.become(parameters) }
    },
    kill: { context, process, signal, namespace, reason in
      guard let process else { return }
      Processes.with(context) { processes in
        processes.end(
          ModelProcess.of(process), .killed(by: signal, namespace: namespace, reason: reason))
      }
    },
    fdfree: { context, process in
      guard let process else { return }
      Processes.with(context) { $0.files.exit(ModelProcess.of(process).context) }
    },
    reparent: { context, process in
      guard let process else { return }
      Processes.with(context) { $0.giveAway(childrenOf: ModelProcess.of(process)) }
    },
    zombie: { context, process in
      guard let process else { return }
      Processes.with(context) { $0.bury(ModelProcess.of(process)) }
    },
    attach: { _, tracer, traced in
      guard let tracer, let traced else { return }
      ModelProcess.of(traced).withState { $0.tracer = tracer.pointee.p_pid }
    },
    map: { _, process, node, offset, size, protection, flags, address in
      guard let process, let node, let address else { return KERNEL_EINVAL }
      let mapped = ModelProcess.of(process).withState {
        $0.memory.add(
          Vnode.of(node), offset: offset, size: size, protection: protection, flags: flags)
      }
      guard let mapped else { return KERNEL_ENOMEM }
      address.pointee = mapped
      return 0
    })

  // MARK: Fork

  private func checkLimits(for parent: ModelProcess) -> Int32 {
    let (limits, user) = (limits, parent.context.credential.user)
    let living = all
    let isFull = living.count >= limits.all - (user == 0 ? 0 : 1)
    guard !isFull else { return KERNEL_EAGAIN }
    guard user != 0 else { return 0 }
    let own = living.count { $0.context.credential.user == user }
    return own >= limits.perUser ? KERNEL_EAGAIN : 0
  }

  /// Makes a child, with the number that the thread asks for or the next one; nil when that is taken.
  private func clone(_ parent: ModelProcess) -> ModelProcess? {
    let before = parent.identity
    let child = Session.Process(
      name: before.name, pid: Lane.current.processes.wantedPID ?? nextPID(), ppid: parent.pid,
      uid: before.uid, gid: before.gid, comm: before.comm, parent: before.comm, exe: before.exe,
      startNanoseconds: nextStart())
    let made = ModelProcess(parent.context.forked(as: child), in: pointer)
    let inherited = parent.withState { $0 }
    made.withState { state in
      state.arguments = inherited.arguments
      state.environment = inherited.environment
      state.signingFlags = inherited.signingFlags
      state.memory = inherited.memory
    }
    guard made.beginCall(), insert(made) else { return nil }
    Lane.current.processes.child = made
    return made
  }

  // MARK: Exec

  private func attributes(of vnode: Vnode) -> kernel_exec_attr {
    let size = files.withContents(of: vnode) { vnode.contents.count }
    return files.reading {
      kernel_exec_attr(
        va_data_size: UInt64(size), va_uid: vnode.user, va_gid: vnode.group, va_mode: vnode.mode)
    }
  }

  /// Reads bytes of a file, without anybody being asked.
  ///
  /// - Returns: how many there were.
  func read(_ vnode: Vnode, at offset: UInt64, into room: UnsafeMutableRawBufferPointer) -> Int {
    files.withContents(of: vnode) {
      guard let start = Int(exactly: offset), start < vnode.contents.count else { return 0 }
      let count = min(room.count, vnode.contents.count - start)
      room.copyBytes(from: vnode.contents[start..<start + count])
      return count
    }
  }

  /// The process of an exec becomes its image.
  private func become(_ parameters: UnsafeMutablePointer<kernel_image_params>) {
    guard let pointer = parameters.pointee.ip_proc, let node = parameters.pointee.ip_vp else {
      return
    }
    let process = ModelProcess.of(pointer)
    let name = parameters.pointee.ip_nd.ni_cnd.bytes
    let comm = String(decoding: name.prefix(Self.longestName), as: UTF8.self)
    let path = KauthRequest.path(of: node)
    let flags = takeSignature(of: Vnode.of(node), at: parameters.pointee.ip_arch_offset)
    process.withState { state in
      state.arguments = parameters.pointee.arguments
      state.environment = parameters.pointee.environment
      state.signingFlags = flags
      state.memory = AddressSpace()
    }
    let attributes = parameters.pointee.ip_origvattr
    let setsUser = attributes.va_mode & 0o4000 != 0 && process.tracer == nil
    if setsUser {
      let groups = process.context.credential.groups
      process.context.become(files.kauth.credential(user: attributes.va_uid, groups: groups))
    }
    process.context.rename { identity in
      identity.comm = comm
      identity.exe = path
      if setsUser { identity.uid = attributes.va_uid }
    }
    for child in children(of: process) { child.context.rename { $0.parent = comm } }
    if parameters.pointee.ip_flags & KERNEL_IMGPF_SPAWN == 0 {
      Lane.current.process = process.identity
    }
  }

  /// MAXCOMLEN.
  private static let longestName = 16

  // MARK: Exit

  /// Children are launchd's from now on; those that have ended are nobody's.
  private func giveAway(childrenOf process: ModelProcess) {
    let launchd = find(1)?.identity.comm ?? "launchd"
    for child in children(of: process) {
      child.context.rename { identity in
        identity.ppid = 1
        identity.parent = launchd
      }
      let isZombie = child.withState { state in
        state.isOrphan = true
        return state.isZombie
      }
      if isZombie { remove(child) }
    }
    for other in all where other.tracer == process.pid { other.withState { $0.tracer = nil } }
  }

  /// The process stays as a zombie as long as its parent may wait for it.
  private func bury(_ process: ModelProcess) {
    let isOrphan = process.withState { state in
      state.isZombie = true
      // Whoever called proc_exit.
      state.isEnding = true
      state.end = state.end ?? .exited(0)
      state.memory = AddressSpace()
      return state.isOrphan
    }
    let parent = find(process.identity.ppid)
    if isOrphan || parent == nil || parent?.isAlive == false { remove(process) }
  }
}

extension ModelProcess {
  /// What the kernel's functions know of its state.
  fileprivate var kernelFlags: UInt32 {
    withState { state in
      (state.end == nil ? 0 : KERNEL_P_LEXIT) | (state.tracer == nil ? 0 : KERNEL_P_LTRACED)
        | (state.refusesTracers ? KERNEL_P_LNOATTACH : 0)
    }
  }
}

extension kernel_image_params {
  /// The strings of argv; none before they have been extracted.
  var arguments: [String] { Self.strings(argumentBytes) }

  /// The strings of the environment.
  var environment: [String] {
    guard let start = ip_endargv, let end = ip_endenvv else { return [] }
    return Self.strings(UnsafeRawBufferPointer(start: start, count: end - start))
  }

  /// The strings of argv, each ended by a NUL, in place.
  var argumentBytes: UnsafeRawBufferPointer {
    guard let start = ip_startargv, let end = ip_endargv else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeRawBufferPointer(start: start, count: end - start)
  }

  private static func strings(_ bytes: UnsafeRawBufferPointer) -> [String] {
    bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
