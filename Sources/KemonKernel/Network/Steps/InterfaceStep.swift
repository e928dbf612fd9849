// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// The machine has a network interface.
struct InterfaceStep: SessionStep {
  static let name = "interface"
  static let about = "Adds a network interface, in front of those that every machine has."
  static let fields: [SessionField] = [
    SocketFields.address,
    .optional("ether", .text, "its link address"),
    .optional("router", .text, "the link address behind which other hosts are"),
  ]

  private let interface: NetworkInterface

  init(_ members: SessionMembers) throws(SessionError) {
    let address = try SocketFields.address(members.required("address"))
    var (ether, router) = (NetworkInterface.usualEther, NetworkInterface.usualRouter)
    if let value = members["ether"] { ether = try SocketFields.ether(value) }
    if let value = members["router"] { router = try SocketFields.ether(value) }
    interface = NetworkInterface(address, ether: ether, router: router)
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.model.network.add(interface)
    return .done()
  }
}
