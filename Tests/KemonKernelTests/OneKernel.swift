// SPDX-License-Identifier: Apache-2.0

import Testing

/// The suites that put hooks into the kernel image, which exists once in a process: one test of them at a time.
///
/// A suite joins by being declared in an extension of this type.
@Suite(.serialized) enum OneKernel {}
