// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

extension OperationCatalog {
  /// The operations of every known MAC table.
  ///
  /// - Parameter release: the kernel that runs; nil when events come from somewhere else.
  public static func mac(running release: KernelRelease? = nil) -> OperationCatalog {
    let table = release?.macTable
    return OperationCatalog(
      names: operationNames, running: table.flatMap { _ in release.map { system + $0.name } },
      prototypes: { prototypes(of: $0, in: table) })
  }

  /// The same for a kernel as ``OperationCatalog/running`` calls it.
  public static func mac(runningOn kernel: String?) -> OperationCatalog {
    mac(running: kernel.flatMap { KernelRelease.named(String($0.dropFirst(system.count))) })
  }

  private static let system = "macOS "

  private static let operationNames: [String] = {
    let slots = MACTable.all.flatMap(\.slots).filter { !$0.isReserved }
    return Set(slots.map(\.name)).sorted()
  }()

  private static func prototypes(of operation: String, in running: MACTable?) -> [Prototype] {
    var prototypes: [Prototype] = []
    var row: Int?
    for table in MACTable.all {
      guard let slot = table.slot(of: operation).map({ table.slots[$0] }) else {
        row = nil
        continue
      }
      guard slot.row != row else { continue }
      row = slot.row
      prototypes.append(
        Prototype(
          names: slot.wordNames, types: slot.wordTypes, since: title(table.releases.first),
          isRunning: running?.slots.contains { $0.row == slot.row } ?? false))
    }
    return prototypes
  }

  /// `macOS 10.13 (ops 52)`.
  private static func title(_ release: MACRelease?) -> String {
    guard let release else { return "an unknown release" }
    let name = release.systems.first ?? "xnu-\(release.xnu)"
    return release.opsVersion.map { "\(name) (ops \($0))" } ?? name
  }
}
