// SPDX-License-Identifier: Apache-2.0

// The C ABI is the vocabulary: whoever imports KemonEvents speaks it.
@_exported public import CKemonPlugin
