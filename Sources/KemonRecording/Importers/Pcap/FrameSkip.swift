// SPDX-License-Identifier: Apache-2.0

/// Why a frame goes into no event.
struct FrameSkip: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}
