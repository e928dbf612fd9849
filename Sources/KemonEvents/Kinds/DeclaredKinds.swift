// SPDX-License-Identifier: Apache-2.0

private import Synchronization

extension EventKind {
  /// Whether the number is one of those that are given to kinds at run time.
  @inlinable
  public var isDeclared: Bool { rawValue >= KEMON_KIND_DECLARED && rawValue < KEMON_KIND_LIMIT }

  /// The place among declared kinds, from 0.
  @inlinable
  public var declaredIndex: Int { Int(rawValue) - Int(KEMON_KIND_DECLARED) }

  /// How many kinds can be declared in a process.
  public static let declaredLimit = Int(KEMON_KIND_LIMIT - KEMON_KIND_DECLARED)

  /// The kinds that were declared so far, in the order of their numbers.
  public static var declaredKinds: [EventKind] { DeclaredKinds.infos.map(\.kind) }

  /// What was declared; nil for every other kind.
  public var declaration: KindDeclaration? { isDeclared ? DeclaredKinds.declaration(self) : nil }

  /// Gives a kind a number, the same to the same name as long as the process runs.
  ///
  /// Any thread.
  ///
  /// - Parameters:
  ///   - declaration: its name and its fields.
  ///   - number: the number that it has elsewhere already and needs to have here; nil for any.
  /// - Throws: when all numbers are taken, or the name or the number is that of another kind.
  @discardableResult
  public static func declare(
    _ declaration: KindDeclaration, as number: UInt16? = nil
  ) throws(DeclarationError) -> EventKind {
    try DeclaredKinds.declare(declaration, as: number)
  }
}

/// The kinds that were declared in this process.
///
/// Readers take no lock: records are read on hot paths. What a cell points at is never freed.
enum DeclaredKinds {
  private final class Entry: Sendable {
    let declaration: KindDeclaration
    let info: EventKindInfo

    init(_ declaration: KindDeclaration, _ kind: EventKind) {
      self.declaration = declaration
      info = EventKindInfo(kind, declaration)
    }
  }

  private typealias Cell = Atomic<UInt>

  // Made once and never freed; the cells are atomic.
  nonisolated(unsafe) private static let cells: UnsafeMutablePointer<Cell> = {
    let cells = UnsafeMutablePointer<Cell>.allocate(capacity: EventKind.declaredLimit)
    for index in 0..<EventKind.declaredLimit { (cells + index).initialize(to: Cell(0)) }
    return cells
  }()
  private static let writer = Mutex<Void>(())

  private static func entry(_ index: Int) -> Entry? {
    guard index >= 0, index < EventKind.declaredLimit,
      let address = UnsafeRawPointer(bitPattern: cells[index].load(ordering: .acquiring))
    else { return nil }
    return Unmanaged<Entry>.fromOpaque(address).takeUnretainedValue()
  }

  static func info(_ kind: EventKind) -> EventKindInfo? { entry(kind.declaredIndex)?.info }

  static func declaration(_ kind: EventKind) -> KindDeclaration? {
    entry(kind.declaredIndex)?.declaration
  }

  static var infos: [EventKindInfo] {
    (0..<EventKind.declaredLimit).compactMap { entry($0)?.info }
  }

  static func declare(
    _ declaration: KindDeclaration, as number: UInt16?
  ) throws(DeclarationError) -> EventKind {
    try writer.withLock { _ throws(DeclarationError) in
      let indices = 0..<EventKind.declaredLimit
      let known = indices.first { entry($0)?.declaration.name == declaration.name }
      let wanted = number.map { EventKind(rawValue: $0).declaredIndex }
      guard let index = known ?? wanted ?? indices.first(where: { entry($0) == nil }),
        indices.contains(index)
      else {
        throw DeclarationError(
          "\(declaration.name): all \(EventKind.declaredLimit) numbers of declared kinds are taken")
      }
      guard wanted == nil || wanted == index else {
        throw DeclarationError("\(declaration.name) has another number already")
      }
      let kind = EventKind(rawValue: UInt16(KEMON_KIND_DECLARED) + UInt16(index))
      if let old = entry(index)?.declaration {
        if old == declaration || old.extends(declaration) { return kind }
        guard declaration.extends(old) else {
          throw DeclarationError(
            "\(declaration.name) is declared already with other fields, or the number is taken by "
              + "\(old.name): fields can only be added behind those that are there")
        }
      }
      let new = Unmanaged.passRetained(Entry(declaration, kind)).toOpaque()
      cells[index].store(UInt(bitPattern: new), ordering: .releasing)
      return kind
    }
  }
}
