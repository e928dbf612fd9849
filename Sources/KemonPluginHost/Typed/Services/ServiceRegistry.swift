// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPlatform
import KemonText

/// The services that plugins of a host offer to each other.
final class ServiceRegistry: Sendable {
  private struct Content {
    var slots: [String: ServiceSlot] = [:]
    var services: [Service] = []
  }
  private let content = PosixLock(Content())

  /// The longest name.
  static let nameLimit = 64

  /// Offers a service.
  ///
  /// - Throws: when another plugin offers one of that name. The next generation of the same plugin takes its place.
  func provide(_ service: Service) throws(PluginRefusal) {
    try content.withLock { content throws(PluginRefusal) in
      let slot = content.slots[service.name] ?? ServiceSlot()
      if let other = slot.current, other.ownerName != service.ownerName {
        throw PluginRefusal(
          KEMON_E_INVALID, "service \"\(service.name)\" is offered by \(other.ownerName) already")
      }
      content.slots[service.name] = slot
      content.services.append(service)
      slot.set(service)
    }
  }

  /// Finds a service for a caller.
  ///
  /// - Throws: when nobody offers it, or its signature is another.
  func bind(
    _ name: String, as signature: TypedSignature
  ) throws(PluginRefusal) -> ServiceBinding {
    let (slot, names) = content.withLock { content in
      (content.slots[name], content.slots.filter { $0.value.current != nil }.map(\.key))
    }
    guard let slot, let service = slot.current else {
      let near = NearNames.of(name, among: names)
      let hint = near.isEmpty ? "" : "; near: " + near.joined(separator: ", ")
      throw PluginRefusal(KEMON_E_NOTFOUND, "nobody offers service \"\(name)\"\(hint)")
    }
    do throws(SignatureError) {
      return try ServiceBinding(slot, service, as: signature)
    } catch {
      throw PluginRefusal(
        KEMON_E_INVALID, line: error.line, column: error.column, error.message)
    }
  }

  /// Puts what a generation of a plugin offers back into the place that a newer one has taken.
  func offerAgain(owner: UInt32) {
    content.withLock { content in
      for service in content.services where service.owner == owner {
        content.slots[service.name]?.set(service)
      }
    }
  }

  /// Takes away what a plugin offers; returns when nobody is inside any of it.
  func withdraw(owner: UInt32) {
    let services = content.withLock { content in
      let gone = content.services.filter { $0.owner == owner }
      content.services.removeAll { $0.owner == owner }
      for service in gone { content.slots[service.name]?.clear(service) }
      return gone
    }
    for service in services { service.close() }
  }
}
