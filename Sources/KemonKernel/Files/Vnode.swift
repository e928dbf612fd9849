// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

// Unchecked: what the tree is made of is reached under the tree's lock, contents under a lock for contents. The locks
// also are what exclusive access is: the run time need not look again.
/// A file, a directory or a device of the model.
final class Vnode: @unchecked Sendable {
  /// A name of a file: a directory, and bytes in it.
  ///
  /// The directory is not held: it can not go while the name is in it.
  struct Place {
    unowned(unsafe) let directory: Vnode
    /// The place's own copy.
    let name: UnsafeRawBufferPointer
  }

  /// What the kernel's functions are given.
  let node: UnsafeMutablePointer<kernel_vnode>
  /// Where a symbolic link leads to.
  let target: [UInt8]

  // MARK: Under the tree's lock

  /// Permission bits.
  @exclusivity(unchecked) var mode: UInt16
  /// The owner.
  let user: UInt32
  /// The group.
  let group: UInt32
  /// The names, of which the first one is what its path is made of: the vnode that the kernel's functions have says it.
  ///
  /// Empty for the root, and for a file that has been removed.
  @exclusivity(unchecked) private(set) var places: [Place] = []
  /// The names in a directory.
  @exclusivity(unchecked) var children = NameTable()

  // MARK: Under a lock for contents

  /// The data of a file.
  @exclusivity(unchecked) var contents: [UInt8] = []
  /// The signatures that the kernel has of a file's slices, as long as the file.
  @exclusivity(unchecked) var signatures: [SignedSlice] = []

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
        v_rights: 0, v_parent: nil, v_name: nil, v_namelen: 0))
    node.pointee.v_data = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    for place in places { place.name.deallocate() }
    node.deallocate()
  }

  /// The object behind what the kernel's functions pass around.
  @inline(__always)
  static func of(_ node: UnsafePointer<kernel_vnode>) -> Vnode {
    unmanaged(node).takeUnretainedValue()
  }

  /// The same without a reference, for a node that stays meanwhile.
  @inline(__always)
  static func with<Result>(
    _ node: UnsafePointer<kernel_vnode>, _ body: (Vnode) -> Result
  ) -> Result {
    unmanaged(node)._withUnsafeGuaranteedRef(body)
  }

  @inline(__always)
  private static func unmanaged(_ node: UnsafePointer<kernel_vnode>) -> Unmanaged<Vnode> {
    guard let object = node.pointee.v_data else {
      preconditionFailure("a vnode without its object")
    }
    return Unmanaged.fromOpaque(object)
  }

  /// Hands the vnode to the kernel's functions, who give it back with `vnode_put`.
  @inline(__always)
  func held() -> UnsafeMutablePointer<kernel_vnode> {
    _ = Unmanaged.passRetained(self)
    return node
  }

  /// Holds a node once more.
  @inline(__always)
  static func hold(_ node: UnsafePointer<kernel_vnode>) { _ = unmanaged(node).retain() }

  /// Gives one hold of a node back.
  @inline(__always)
  static func put(_ node: UnsafePointer<kernel_vnode>) { unmanaged(node).release() }

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
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: name.count, alignment: 1)
    copy.copyBytes(from: name)
    places.append(Place(directory: directory, name: UnsafeRawBufferPointer(copy)))
    nameNode()
  }

  /// Takes a name from it.
  func removeName(_ name: UnsafeRawBufferPointer, in directory: Vnode) {
    guard
      let index = places.firstIndex(where: {
        $0.directory === directory && $0.name.elementsEqual(name)
      })
    else { return }
    let removed = places.remove(at: index)
    nameNode()
    removed.name.deallocate()
  }

  private func nameNode() {
    let place = places.first
    node.pointee.v_parent = place.map { UnsafePointer($0.directory.node) }
    node.pointee.v_name = place?.name.baseAddress?.assumingMemoryBound(to: CChar.self)
    node.pointee.v_namelen = UInt32(place?.name.count ?? 0)
  }
}
