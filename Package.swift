// swift-tools-version: 6.1
import PackageDescription

/// One set of rules for every Swift target: Swift 6 mode, explicit imports, warnings are errors.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-warnings-as-errors"]),
]

/// C and C++ of ours compile as strictly as the SDK promises to its users.
let strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fvisibility=hidden"]
let strictC: [CSetting] = [.unsafeFlags(["-std=c17"] + strict)]
let strictCXX: [CXXSetting] = [
  .unsafeFlags(["-std=c++17", "-fvisibility-inlines-hidden"] + strict)
]

/// The model's kernel is compiled as kernels are, whatever the rest is: hooks must meet the code that they will meet.
let kernelC: [CSetting] = [.unsafeFlags(["-std=c17", "-O2", "-fno-omit-frame-pointer"] + strict)]

/// Policies in libraries of their own call these, as kexts call the kernel.
let kernelExports: [LinkerSetting] = [
  .unsafeFlags(
    ["mac_policy_register", "mac_policy_unregister"].flatMap {
      ["-Xlinker", "--export-dynamic-symbol=\($0)"]
    })
]

enum PluginLanguage { case c, cxx, swift }

/// A plugin exports its entry and its manifest, nothing else: what it links statically stays its own.
let exports: [LinkerSetting] = [
  .unsafeFlags([
    "-Xlinker", "--version-script=\(Context.packageDirectory)/plugin-sdk/cmake/exports.map",
  ])
]

/// A shipped plugin: a dynamic library under Sources/Plugins/<name>.
///
/// A plugin in Swift keeps its manifest in a C target of its own, because Swift cannot put a text into a section.
func plugin(
  _ name: String, in language: PluginLanguage, _ more: [Target.Dependency] = []
) -> [Target] {
  let path = "Sources/Plugins/\(name)"
  switch language {
  case .c, .cxx:
    return [
      .target(
        name: name, dependencies: ["CKemonPlugin"] + more, path: path, exclude: ["README.md"],
        cSettings: language == .c ? strictC : nil, cxxSettings: language == .cxx ? strictCXX : nil,
        linkerSettings: exports)
    ]
  case .swift:
    return [
      .target(
        name: name, dependencies: ["KemonPluginKit", .target(name: "\(name)-manifest")], path: path,
        exclude: ["README.md", "manifest"], swiftSettings: rules, linkerSettings: exports),
      .target(
        name: "\(name)-manifest", dependencies: ["CKemonPlugin"], path: "\(path)/manifest",
        cSettings: strictC),
    ]
  }
}

/// The sessions that come with Kemon, in Sources/KemonKernel/Sessions/Library.
let sessions = [
  "mandiant-monitor", "mac-listing", "mac-blocking", "dns-query", "kext-lifecycle", "ksbox",
  "mixed-day",
  "file-ops", "processes", "dylibs", "kauth-listener", "anti-debug", "kauth-limitation-1",
  "kauth-limitation-2", "kauth-limitation-3", "kauth-limitation-4", "kauth-limitation-5",
]

func tests(_ module: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(module)Tests", dependencies: dependencies, path: "Tests/\(module)Tests",
    swiftSettings: rules)
}

let package = Package(
  name: "kemon",
  products: [
    .executable(name: "kemon-host", targets: ["kemon-host"]),
    // For C too: libKemonHooks.so has the functions of kemon/hook.h.
    .library(name: "KemonHooks", type: .dynamic, targets: ["KemonHooks", "KemonHooksC"]),
    .library(name: "KemonBus", targets: ["KemonBus", "KemonEvents"]),
    .library(
      name: "KemonPluginHost", targets: ["KemonPluginHost", "KemonBus", "KemonEvents", "KemonText"]),
    .library(name: "KemonPluginKit", targets: ["KemonPluginKit"]),
    .library(name: "KemonPluginTesting", targets: ["KemonPluginTesting"]),
    .library(name: "kext-guard", type: .dynamic, targets: ["kext-guard"]),
    .library(name: "policy-guard", type: .dynamic, targets: ["policy-guard"]),
    .library(name: "dns-watch", type: .dynamic, targets: ["dns-watch"]),
    .library(name: "path-guard", type: .dynamic, targets: ["path-guard"]),
    .library(name: "event-log", type: .dynamic, targets: ["event-log"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // System libraries and the only C of ours.
    .systemLibrary(
      name: "CCapstone", pkgConfig: "capstone", providers: [.apt(["libcapstone-dev"])]),
    .systemLibrary(name: "CFFI", pkgConfig: "libffi", providers: [.apt(["libffi-dev"])]),
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CKemonPlugin", path: "plugin-sdk",
      exclude: [
        "abi", "cmake", "examples", "python", "rust", "templates", "testing", "README.md",
        "CMakeLists.txt",
      ],
      sources: ["src"], publicHeadersPath: "include", cSettings: strictC),
    .target(name: "CKemonPlatform", cSettings: strictC),
    .target(name: "KemonPlatform", swiftSettings: rules),
    .target(name: "KemonFFI", dependencies: ["CFFI"], swiftSettings: rules),
    .target(name: "KemonText", swiftSettings: rules),
    .target(name: "CKernelImage", cSettings: kernelC, linkerSettings: kernelExports),

    // The house, top to bottom: arrows point down only.
    .target(name: "KemonEvents", dependencies: ["CKemonPlugin"], swiftSettings: rules),
    .target(
      name: "KemonBus", dependencies: ["KemonEvents", "CKemonPlatform", "KemonPlatform"],
      swiftSettings: rules),
    .target(
      name: "KemonHooks",
      dependencies: ["CCapstone", "CFFI", "KemonFFI", "CKemonPlatform", "KemonPlatform"],
      swiftSettings: rules),
    .target(
      name: "KemonHooksC", dependencies: ["KemonHooks", "KemonPlatform", "CKemonPlugin"],
      swiftSettings: rules),
    .target(
      name: "KemonKernel",
      dependencies: [
        "KemonBus", "KemonHooks", "KemonEvents", "KemonPlatform", "KemonText", "CKernelImage",
        "CKemonPlatform", "CFFI", "KemonFFI",
      ],
      resources: sessions.map { .embedInCode("Sessions/Library/\($0).json") },
      swiftSettings: rules),
    .target(
      name: "KemonRecording",
      dependencies: [
        "KemonBus", "KemonEvents", "KemonPlatform", "CZlib",
        .product(name: "GRDB", package: "GRDB.swift"),
      ], swiftSettings: rules),
    .target(
      name: "KemonPluginHost",
      dependencies: [
        "KemonBus", "KemonEvents", "CFFI", "KemonFFI", "CSodium", "CKemonPlatform",
        "KemonPlatform", "KemonText",
      ], swiftSettings: rules),
    .target(
      name: "KemonPluginKit", dependencies: ["KemonEvents", "CKemonPlugin"], swiftSettings: rules),
    .target(
      name: "KemonPluginTesting", dependencies: ["KemonEvents", "KemonPlatform"],
      swiftSettings: rules),
    .target(
      name: "KemonPluginCheck",
      dependencies: [
        "KemonBus", "KemonEvents", "KemonPluginHost", "KemonPluginTesting", "KemonRecording",
        "KemonText", "CKemonPlatform",
      ], swiftSettings: rules),
    .executableTarget(
      name: "kemon-host",
      dependencies: [
        "KemonEvents", "KemonBus", "KemonHooks", "KemonKernel", "KemonRecording", "KemonPluginHost",
        "KemonPluginCheck", "KemonText",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ], swiftSettings: rules),

    // Tests.
    .target(name: "KemonTestSupport", path: "Tests/Support", swiftSettings: rules),
    .target(
      name: "KemonFakeHost", dependencies: ["KemonPluginTesting", "KemonTestSupport"],
      path: "Tests/FakeHost",
      swiftSettings: rules),
    tests("KemonEvents", ["KemonEvents", "KemonTestSupport"]),
    .executableTarget(
      name: "ring-creator", dependencies: ["KemonBus"], path: "Tests/Fixtures/RingCreator",
      swiftSettings: rules),
    tests("KemonBus", ["KemonBus", "KemonEvents", "KemonTestSupport"]),
    .target(
      name: "CHookFixtures", dependencies: ["CKemonPlugin"], path: "Tests/Fixtures/CHookFixtures",
      cSettings: strictC),
    .target(name: "CHookCorpus", path: "Tests/Fixtures/CHookCorpus", cSettings: strictC),
    .target(
      name: "CXXHookFixtures", path: "Tests/Fixtures/CXXHookFixtures", cxxSettings: strictCXX),
    tests(
      "KemonHooks",
      [
        "KemonHooks", "KemonHooksC", "CKemonPlugin", "CCapstone", "CHookFixtures",
        "CXXHookFixtures",
        "CHookCorpus", "KemonTestSupport",
      ]),
    .target(
      name: "CKernelImageFixtures", dependencies: ["CKernelImage"],
      path: "Tests/Fixtures/CKernelImageFixtures", cSettings: kernelC),
    tests("KemonText", ["KemonText", "KemonTestSupport"]),
    tests(
      "KemonKernel",
      [
        "KemonKernel", "KemonBus", "KemonEvents", "KemonHooks", "KemonRecording", "KemonText",
        "CKernelImage", "CKernelImageFixtures", "KemonPlatform", "KemonPluginHost",
        "KemonFakeHost", "KemonTestSupport",
      ]),
    tests("KemonRecording", ["KemonRecording", "KemonBus", "KemonEvents", "KemonTestSupport"]),
    .target(
      name: "CTypedFixtures", path: "Tests/Fixtures/CTypedFixtures", cSettings: strictC),
    tests(
      "KemonPluginHost",
      [
        "KemonPluginHost", "KemonBus", "KemonEvents", "KemonPlatform", "KemonText",
        "CTypedFixtures", "KemonTestSupport",
      ]),
    tests("PluginSDK", ["KemonFakeHost", "KemonEvents", "KemonTestSupport"]),
    tests(
      "KemonPluginKit",
      ["KemonPluginKit", "KemonFakeHost", "KemonBus", "KemonEvents", "KemonPlatform"]),
    tests("KemonHost", ["KemonTestSupport"]),

    // What several of the plugins that we ship are made of.
    .target(
      name: "deny-list", dependencies: ["CKemonPlugin"], path: "Sources/Plugins/deny-list",
      cSettings: strictC),
  ]
    // The plugins that we ship.
    + plugin("kext-guard", in: .c, ["deny-list"])
    + plugin("policy-guard", in: .c, ["deny-list"])
    + plugin("dns-watch", in: .cxx)
    + plugin("path-guard", in: .swift)
    + plugin("event-log", in: .swift)
)
