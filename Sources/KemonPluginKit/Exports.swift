// SPDX-License-Identifier: Apache-2.0

// A plugin imports one module and has the C ABI and the records with it.
@_exported public import CKemonPlugin
@_exported public import KemonEvents
