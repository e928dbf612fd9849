// SPDX-License-Identifier: Apache-2.0

extension Session.Kext {
  /// Where kexts begin in the kernel's address space when none is loaded.
  static let firstBase: UInt64 = 0xFFFF_FF7F_8000_0000

  /// A kext as its file describes it; none of its code is taken along.
  ///
  /// - Parameters:
  ///   - image: the slice that the model's machine runs.
  ///   - end: where the other kexts end; the model links it to the next page.
  /// - Throws: what the file lacks.
  init(_ file: KextFile, _ image: KextImage, behind end: UInt64) throws(MachOError) {
    func lacks(_ what: String) -> MachOError {
      MachOError(.unsupported, file: file.path, what)
    }
    guard let id = file.identifier, (1...63).contains(id.utf8.count), !id.utf8.contains(0) else {
      throw lacks("no identifier of 1 to 63 bytes")
    }
    guard let text = file.version, let version = KextVersion(parsing: text) else {
      throw lacks("no version such as 1.2.3")
    }
    var libraries: [Session.Library] = []
    for (id, version) in (file.info?.libraries ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let version = KextVersion(parsing: version) else {
        throw lacks("the version of \(id) is none such as 1.2.3")
      }
      libraries.append(Session.Library(id: id, version: version))
    }
    let (rounded, isBeyond) = end.addingReportingOverflow(0xFFF)
    let base = rounded & ~0xFFF
    guard image.size > 0, !isBeyond, !base.addingReportingOverflow(image.size).overflow else {
      throw lacks("\(image.size) bytes in memory do not fit in the kernel's address space")
    }
    self.init(
      id: id, version: version, path: file.path, base: base, size: image.size,
      // A start routine that is none stops the load where the kernel looks for it.
      start: base &+ ((image.start ?? .max) &- image.base), status: 0, constructorStatus: 0,
      stopStatus: 0, isExecutable: true, isExcluded: false,
      isForSafeBoot: file.info?.required != nil, hasServices: false, hasInstances: false, link: .ok,
      libraries: libraries)
  }
}

extension KextFile {
  /// The slice that the model's machine runs.
  var modelImage: KextImage {
    get throws(MachOError) {
      guard let image = image(for: .x86_64) ?? image(for: .x86_64h) else {
        throw MachOError(
          .unsupported, file: path, "no whole slice for x86_64, which the model's machine needs")
      }
      return image
    }
  }
}
