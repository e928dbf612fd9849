// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How large a file is.
enum FileSize {
  /// Bytes of the file, 0 when it cannot be asked.
  static func of(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}
