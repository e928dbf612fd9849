// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// Paths of vnodes: made of the names that lie in the vnodes themselves, so that no object is touched on the way.
extension FileSystem {
  typealias Node = UnsafePointer<kernel_vnode>

  /// The path of a vnode.
  ///
  /// - Parameter room: gets the path and a NUL.
  /// - Returns: 0 and the bytes of the path without its NUL; ENOENT for what has been removed, ENOSPC without room.
  func path(of node: Node, into room: UnsafeMutableRawBufferPointer) -> (Int32, Int) {
    reading { pathHere(of: node, into: room) }
  }

  /// The same.
  func path(of vnode: Vnode, into room: UnsafeMutableRawBufferPointer) -> (Int32, Int) {
    path(of: UnsafePointer(vnode.node), into: room)
  }

  /// The path of a name in a directory; the same.
  func path(
    of name: UnsafeRawBufferPointer, in directory: Node, into room: UnsafeMutableRawBufferPointer
  ) -> (Int32, Int) {
    let (error, count) = path(of: directory, into: room)
    guard error == 0 else { return (error, 0) }
    let start = count == 1 ? 1 : count + 1
    guard start + name.count < room.count else { return (KERNEL_ENOSPC, 0) }
    room[start - 1] = UInt8(ascii: "/")
    UnsafeMutableRawBufferPointer(rebasing: room[start...]).copyMemory(from: name)
    room[start + name.count] = 0
    return (0, start + name.count)
  }

  private func pathHere(
    of node: Node, into room: UnsafeMutableRawBufferPointer
  ) -> (Int32, Int) {
    let root = UnsafePointer(rootNode)
    guard node != root else {
      guard room.count > 1 else { return (KERNEL_ENOSPC, 0) }
      room[0] = UInt8(ascii: "/")
      room[1] = 0
      return (0, 1)
    }
    // How long it is, then name by name from its end.
    var length = 0
    var current = node
    while current != root {
      guard let parent = current.pointee.v_parent else { return (KERNEL_ENOENT, 0) }
      length += Int(current.pointee.v_namelen) + 1
      current = parent
    }
    guard length < room.count else { return (KERNEL_ENOSPC, 0) }
    room[length] = 0
    var end = length
    current = node
    while current != root, let parent = current.pointee.v_parent {
      let name = UnsafeRawBufferPointer(
        start: current.pointee.v_name, count: Int(current.pointee.v_namelen))
      end -= name.count
      UnsafeMutableRawBufferPointer(rebasing: room[end...]).copyMemory(from: name)
      end -= 1
      room[end] = UInt8(ascii: "/")
      current = parent
    }
    return (0, length)
  }
}
