// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the tests were compiled with.
public enum Sanitizer {
  /// Whether the tests run under a race detector.
  public static let isRaceDetector = dlsym(nil, "__tsan_init") != nil
  /// Whether they run under any sanitizer.
  public static let isThere = isRaceDetector || dlsym(nil, "__asan_init") != nil
}
