// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText
import Synchronization

// Unchecked: services are never freed, so that an address that was read stays good.
/// The place of a service: plugins come and go, and a new generation of one takes the place of the old.
final class ServiceSlot: @unchecked Sendable {
  private let address = Atomic<UInt>(0)

  /// Who answers now; nil for nobody.
  var current: Service? {
    UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring))
      .map { Unmanaged<Service>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Puts a service here, for ever reachable for those who read the address before.
  func set(_ service: Service) {
    let pointer = Unmanaged.passRetained(service).toOpaque()
    address.store(UInt(bitPattern: pointer), ordering: .releasing)
  }

  /// Takes a service away, unless another one has its place already.
  func clear(_ service: Service) {
    let pointer = UInt(bitPattern: Unmanaged.passUnretained(service).toOpaque())
    _ = address.compareExchange(expected: pointer, desired: 0, ordering: .acquiringAndReleasing)
  }
}

/// What a plugin that calls a service holds: its own signature, matched with that of the service.
///
/// Never freed: the plugin has its address.
final class ServiceBinding: Sendable {
  private let slot: ServiceSlot
  private let signature: String
  private let order: [Int]
  /// The caller's arguments that the service cannot do without.
  private let needed: [Int]

  /// Matches a caller's signature with that of a service, by names.
  ///
  /// - Throws: what does not match, at its place in the caller's signature.
  init(_ slot: ServiceSlot, _ service: Service, as caller: TypedSignature) throws(SignatureError) {
    let offered = service.signature
    let place = "service \"\(service.name)\" of \(service.ownerName)"
    for field in caller.fields {
      guard let other = offered.fields.first(where: { $0.name == field.name }) else {
        if field.isOptional { continue }
        let near = NearNames.of(field.name, among: offered.fields.map(\.name))
        let hint = near.isEmpty ? "" : "; near: " + near.joined(separator: ", ")
        throw SignatureError(at: field.place, "\(place) takes no \"\(field.name)\"\(hint)")
      }
      guard other.type == field.type else {
        throw SignatureError(
          at: field.typePlace,
          "\(place) takes \"\(field.name)\" as \(other.type.text) (\(other.type.cName)), here it "
            + "is \(field.type.text) (\(field.type.cName))")
      }
    }
    let order = offered.fields.map { field in
      caller.fields.firstIndex { $0.name == field.name } ?? -1
    }
    for (field, index) in zip(offered.fields, order) where index < 0 && !field.isOptional {
      throw SignatureError(at: caller.resultPlace, "\(place) needs \"\(field.text)\", too")
    }
    guard caller.result == offered.result else {
      let returned = offered.result.map { "\($0.text) (\($0.cName))" } ?? "nothing"
      throw SignatureError(
        at: caller.resultPlace,
        "\(place) returns \(returned), here it is \(caller.result?.text ?? "nothing")")
    }
    self.slot = slot
    self.order = order
    needed = zip(offered.fields, order).filter { !$0.0.isOptional }.map(\.1)
    signature = offered.text
  }

  /// Calls whoever offers the service now: any thread.
  ///
  /// - Returns: `KEMON_E_INVALID` when an argument is missing that the service needs.
  func call(
    _ arguments: UnsafePointer<UnsafeMutableRawPointer?>?, _ result: UnsafeMutableRawPointer?
  ) -> kemon_status {
    for index in needed where arguments?[index] == nil { return KEMON_E_INVALID }
    // A service that closes has left its place before: the next look finds its successor, or nobody.
    while let service = slot.current {
      // Another generation may have another signature; who bound to the old one must look again.
      guard service.signature.text == signature else { return KEMON_E_STATE }
      if service.call(order, arguments, result) { return KEMON_OK }
    }
    return KEMON_E_NOTFOUND
  }
}
