// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlugin.Hook
internal import Glibc
internal import KemonHooks

/// The text of the calling thread's last failure.
enum ErrorText {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { free($0) }
    return key
  }()

  /// Never nil: an empty text before the first failure.
  static var current: UnsafePointer<CChar>? {
    if pthread_getspecific(key) == nil { set("") }
    return UnsafePointer(pthread_getspecific(key)?.assumingMemoryBound(to: CChar.self))
  }

  static func set(_ text: String) {
    free(pthread_getspecific(key))
    pthread_setspecific(key, strdup(text))
  }

  /// Runs what may fail, and returns its code.
  static func catching(_ body: () throws(HookError) -> Void) -> Int32 {
    do {
      try body()
      return 0
    } catch {
      set(error.description)
      return error.code.number
    }
  }

  /// Refuses an argument.
  static func refuse(_ text: String) -> Int32 {
    set(text)
    return KEMON_HOOK_E_ARGUMENT
  }
}

extension HookError.Code {
  /// The number that C knows it by.
  var number: Int32 {
    switch self {
    case .unsupportedProcessor: KEMON_HOOK_E_UNSUPPORTED
    case .unknownExtent: KEMON_HOOK_E_UNKNOWN_EXTENT
    case .notCode: KEMON_HOOK_E_NOT_CODE
    case .undecodable: KEMON_HOOK_E_UNDECODABLE
    case .notACall: KEMON_HOOK_E_NOT_A_CALL
    case .tooShort: KEMON_HOOK_E_TOO_SHORT
    case .branchIntoWindow: KEMON_HOOK_E_BRANCH_INTO_WINDOW
    case .positionDependent: KEMON_HOOK_E_POSITION_DEPENDENT
    case .outOfReach: KEMON_HOOK_E_OUT_OF_REACH
    case .alreadyHooked: KEMON_HOOK_E_ALREADY_HOOKED
    case .needsQuiescence: KEMON_HOOK_E_NEEDS_QUIESCENCE
    case .insideHandler: KEMON_HOOK_E_INSIDE_HANDLER
    case .changed: KEMON_HOOK_E_CHANGED
    case .system: KEMON_HOOK_E_SYSTEM
    case .busy: KEMON_HOOK_E_BUSY
    case .notFound: KEMON_HOOK_E_NOT_FOUND
    case .unsupportedPrototype: KEMON_HOOK_E_PROTOTYPE
    }
  }
}

/// The text of the calling thread's last failure.
@_cdecl("kemon_hook_error")
public func hookError() -> UnsafePointer<CChar>? { ErrorText.current }
