// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

// Unchecked: what the tree is made of is reached under the tree's lock, contents under a lock for contents.
/// A file, a directory or a device of the model.
final class Vnode: @unchecked Sendable {
  /// A name of a file: a directory, and bytes in it.
  ///
  /// The directory is not held: it can not go while the name is in it.
  struct Place {
    unowned(unsafe) let directory: Vnode
    let name: [UInt8]
  }

  /// What the kernel's functions are given.
  let node: UnsafeMutablePointer<kernel_vnode>
  /// Where a symbolic link leads to.
  let target: [UInt8]

  // MARK: Under the tree's lock

  /// Permission bits.
  var mode: UInt16
  /// The owner.
  let user: UInt32
  /// The group.
  let group: UInt32
  /// The names, of which the first one is what its path is made of.
  ///
  /// Empty for the root, and for a file that has been removed.
  private(set) var places: [Place] = []
  /// The names in a directory.
  var children = NameTable()

  // MARK: Under a lock for contents

  /// The data of a file.
  var contents: [UInt8] = []

  init(
    _ type: Int32, number: UInt64, device: UInt32, mode: UInt16, user: UInt32, group: UInt32,
    target: [UInt8] = [], mount: UnsafePointer<kernel_filesystem>
  ) {
    self.mode = mode
    self.user = user
    self.group = group
    self.target = target
    node = .allocate(capacity: 1)
    node.initialize(
      to: kernel_vnode(
        v_mount: mount, v_data: nil, v_fileid: number, v_fsid: device, v_type: UInt32(type),
        v_rights: 0))
    node.pointee.v_data = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit { node.deallocate() }

  /// The object behind what the kernel's functions pass around.
  @inline(__always)
  static func of(_ node: UnsafePointer<kernel_vnode>) -> Vnode {
    guard let object = node.pointee.v_data else {
      preconditionFailure("a vnode without its object")
    }
    return Unmanaged<Vnode>.fromOpaque(object).takeUnretainedValue()
  }

  /// Hands the vnode to the kernel's functions, who give it back with `vnode_put`.
  @inline(__always)
  func held() -> UnsafeMutablePointer<kernel_vnode> {
    _ = Unmanaged.passRetained(self)
    return node
  }

  /// The inode number.
  var number: UInt64 { node.pointee.v_fileid }
  var type: Int32 { Int32(node.pointee.v_type) }
  var isDirectory: Bool { type == KERNEL_VDIR }
  var isLink: Bool { type == KERNEL_VLNK }
  var isFile: Bool { type == KERNEL_VREG }

  /// The directory that it lies in; nil for the root and for what has been removed.
  var parent: Vnode? { places.first?.directory }

  /// Gives it a name; the directory's table is the caller's business.
  func add(_ name: [UInt8], in directory: Vnode) {
    places.append(Place(directory: directory, name: name))
  }

  /// Takes a name from it.
  func removeName(_ name: UnsafeRawBufferPointer, in directory: Vnode) {
    places.removeAll { $0.directory === directory && $0.name.elementsEqual(name) }
  }
}
