// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CHookFixtures
  import Testing

  /// What C does with prototypes that come at run time.
  @Suite(.serialized) struct DynamicFaceTests {
    private func expectNone(_ failure: UnsafePointer<CChar>?) {
      #expect(failure == nil, "\(failure.map { String(cString: $0) } ?? "")")
    }

    @Test func `handlers get pointers to arguments and result`() {
      expectNone(dynamic_attach_fails_from_c())
    }

    @Test func `a detour calls the function as it was`() {
      expectNone(dynamic_replace_fails_from_c())
    }

    @Test func `wrong prototypes and NULL are refused`() {
      expectNone(dynamic_errors_fail_from_c())
    }
  }
#endif
