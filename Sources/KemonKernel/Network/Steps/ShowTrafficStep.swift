// SPDX-License-Identifier: Apache-2.0

/// Every packet is told, or not any more.
struct ShowTrafficStep: SessionStep {
  static let name = "show_traffic"
  static let about =
    "Tells every packet as net.packet, as builds of the original with a traffic log."
  static let mainField: String? = "on"
  static let fields: [SessionField] = [.required("on", .flag, "whether")]

  private let isOn: Bool

  init(_ members: SessionMembers) throws(SessionError) { isOn = members.required("on").flag }

  func perform(in context: StepContext) -> StepOutcome {
    context.model.network.showsTraffic = isOn
    return .done()
  }
}
