// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

/// What became of a page of code that was used for the first time.
public enum PageUse: Sendable, Equatable {
  /// It is what was signed, or nobody signed it.
  case good
  /// It is not what was signed, and is used all the same: the process has lost CS_VALID.
  case tainted
  /// It must not be used.
  case refused
  /// It must not be used, and the process has been killed.
  case killed
}

/// The system calls of memory and of signatures.
extension Processes {
  /// Maps a part of an open file.
  ///
  /// - Parameter offset: a multiple of the page size.
  /// - Returns: the address.
  func map(
    _ file: OpenFile, offset: UInt64, size: UInt64, protection: Int32, flags: Int32,
    in process: ModelProcess
  ) throws(DarwinErrno) -> UInt64 {
    try call(as: process) { _ throws(DarwinErrno) in
      var request = kernel_mmap_args(
        addr: 0, len: size, pos: offset, prot: protection, flags: flags)
      let error = withFile(file, of: process) { kernel_mmap(process.pointer, $0, &request) }
      try DarwinErrno.check(error)
      // A hook that lets it look successful has mapped nothing.
      guard request.addr != 0 else { throw .ENOMEM }
      return request.addr
    }
  }

  /// Takes a mapping away.
  func unmap(_ address: UInt64, in process: ModelProcess) {
    process.withState { $0.memory.remove(at: address) }
  }

  /// Gives the kernel an image's signature: F_ADDFILESIGS_RETURN.
  ///
  /// - Returns: what a policy said against it; nil also when the kernel has it already.
  func addSignature(
    of image: ImageFile, _ file: OpenFile, for process: ModelProcess
  ) -> DarwinErrno? {
    guard let signature = image.signature,
      self.signature(of: file.vnode, at: image.offset)?.offset != image.offset
    else { return nil }
    let error = ubc_cs_blob_add(process.pointer, file.vnode.node, image.offset)
    guard error == 0 else { return DarwinErrno(rawValue: error) }
    add(SignedSlice(offset: image.offset, signature: signature), of: file.vnode)
    return nil
  }

  /// Asks whether an image may be loaded beside the process' own code: F_CHECK_LV.
  func checkLibraryValidation(
    of image: ImageFile, _ file: OpenFile, for process: ModelProcess
  ) -> DarwinErrno? {
    let error = withFile(file, of: process) {
      kernel_check_library_validation(process.pointer, $0, image.offset)
    }
    return error == 0 ? nil : DarwinErrno(rawValue: error)
  }

  /// Takes the signature of a program that is executed.
  ///
  /// - Returns: the flags that the process gets.
  func takeSignature(of vnode: Vnode, at offset: UInt64) -> UInt32 {
    let contents = files.withContents(of: vnode) { vnode.contents }
    guard let image = try? ImageFile(contents, file: ""), image.offset == offset,
      let signature = image.signature
    else { return 0 }
    if self.signature(of: vnode, at: offset)?.offset != offset {
      add(SignedSlice(offset: offset, signature: signature), of: vnode)
    }
    return signature.flags | KERNEL_CS_VALID
  }

  /// A process uses a page of its memory for the first time: only now its hash is compared.
  ///
  /// - Throws: EFAULT where nothing is mapped, ESRCH for a process that has ended.
  public func touch(_ address: UInt64, in process: ModelProcess) throws(DarwinErrno) -> PageUse {
    try call(as: process) { _ throws(DarwinErrno) in try use(address, in: process) }
  }

  private func use(
    _ address: UInt64, in process: ModelProcess
  ) throws(DarwinErrno) -> PageUse {
    guard let mapping = process.withState({ $0.memory.mapping(at: address) }) else {
      throw .EFAULT
    }
    let page = UInt64(CodeSignature.pageSize)
    let place = (mapping.offset + (address - mapping.address)) / page * page
    guard mapping.protection & KERNEL_PROT_EXEC != 0,
      let slice = signature(of: mapping.vnode, at: place),
      !isSigned(mapping.vnode, at: place, by: slice)
    else { return .good }
    var flags = process.signingFlags
    var isKilled: Int32 = 0
    let isRefused = cs_invalid_page(
      process.pointer, mapping.vnode.node, place, &flags, &isKilled)
    let changed = flags
    process.withState { $0.signingFlags = changed }
    if isKilled != 0 {
      end(process, .invalidPage)
      return .killed
    }
    return isRefused != 0 ? .refused : .tainted
  }

  private func isSigned(_ vnode: Vnode, at place: UInt64, by slice: SignedSlice) -> Bool {
    var page = [UInt8](repeating: 0, count: CodeSignature.pageSize)
    let count = page.withUnsafeMutableBytes { read(vnode, at: place, into: $0) }
    let index = Int((place - slice.offset) / UInt64(CodeSignature.pageSize))
    return slice.signature.covers(page: index, page[..<count])
  }

  private func withFile(
    _ file: OpenFile, of process: ModelProcess,
    _ body: (UnsafeMutablePointer<kernel_fileglob>) -> Int32
  ) -> Int32 {
    var glob = kernel_fileglob(
      fg_data: file.vnode.node, fg_cred: process.context.pointer.pointee.vc_ucred,
      fg_flag: file.mode)
    return body(&glob)
  }
}
