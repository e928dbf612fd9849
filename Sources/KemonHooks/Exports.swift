// SPDX-License-Identifier: Apache-2.0

// Handlers are C functions on a C frame: whoever imports KemonHooks speaks it.
@_exported public import CKemonPlatform
