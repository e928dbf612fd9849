// SPDX-License-Identifier: Apache-2.0

/// A process loads a library.
struct LoadLibraryStep: SessionStep {
  static let name = "dlopen"
  static let about = "Loads a library, and what it needs, into the process."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [
    .required("path", .text, "the library; without a folder it is looked for where dyld does")
  ]

  private let path: String

  init(_ members: SessionMembers) throws(SessionError) { path = members.required("path").string }

  func perform(in context: StepContext) -> StepOutcome {
    do throws(DyldError) {
      let image = try Dyld(context.model.processes).load(path, in: context.actor)
      return .done(image.isCached ? "from the shared cache" : "")
    } catch {
      return .failed(error.error?.description ?? "dyld", error.reason)
    }
  }
}

/// A process uses a page of a library for the first time: only now its hash is compared.
struct TouchPageStep: SessionStep {
  static let name = "touch_page"
  static let about = "Uses a page of a loaded library for the first time: the kernel checks it now."
  static let fields: [SessionField] = [
    .required("path", .path, "the library"),
    .optional("page", .integer(0...1), "which of its pages of code, 0 by default"),
  ]

  private let path: String
  private let page: UInt64

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    page = members["page"]?.integer() ?? 0
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      let image = context.actor.withState { $0.memory.images.first { $0.path == path } }
      guard let code = image?.segments.first else { throw .EFAULT }
      let address = code + page * UInt64(CodeSignature.pageSize)
      return "\(try context.model.processes.touch(address, in: context.actor))"
    }
  }
}
