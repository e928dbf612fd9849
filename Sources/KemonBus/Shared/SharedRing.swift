// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
internal import Synchronization

// Unchecked: constants, and atomics in raw memory as in ByteRing; the reader is behind a lock while it is replaced.
/// A ring in a file in memory, between two processes: one publishes, the other reads and may answer.
///
/// Nothing that the other process can write is believed. What this side needs for itself (claims, limits, positions,
/// accounts) lies in memory of its own; cursors, stamps and answers of the other side are checked before they are
/// used, and bytes are copied out before anybody looks at them. A peer that dies, hangs or scribbles over the file
/// harms its own view of it.
///
/// The far side may be C (`kemon/ring.h`) or this type, made from the descriptor.
public final class SharedRing: @unchecked Sendable {
  /// Which side this process is.
  public enum Role: Sendable {
    /// It publishes, and the answers come to it.
    case producer
    /// It reads, and may answer.
    case reader
  }

  /// Which side this process is.
  public let role: Role
  /// The file, for the other process; close-on-exec, closed with the ring.
  public let descriptor: Int32
  /// The ring, for publishing and asking; of a reader only for its measures.
  public let ring: ByteRing
  let control: RingMemory
  /// Of the process on the other side: its pidfd plus one, 0 when it is not watched.
  var watched: RingWord { ring.peer }

  /// Makes a ring and its file.
  ///
  /// - Throws: ``RingError`` when the measures are impossible, or the kernel gives no file.
  public init(
    creating configuration: RingConfiguration, role: Role
  ) throws(RingError) {
    var configuration = configuration
    configuration.hasAnswers = true
    let layout = try RingLayout(configuration)
    descriptor = try Self.makeFile(of: layout.size)
    self.role = role
    do throws(RingError) {
      let memory = try RingMemory(shared: descriptor, size: layout.size)
      control = try RingMemory(privateBytes: RingLayout.slotsOffset)
      let header = SharedRingHeader(
        layout, creatorProduces: role == .producer, creator: UInt32(getpid()))
      memory.base.storeBytes(of: header, as: SharedRingHeader.self)
      ring = Self.ring(memory, layout, control, configuration.producers)
    } catch {
      close(descriptor)
      throw error
    }
    openReaderLine(at: 0)
  }

  /// Takes part in a ring that another process has made.
  ///
  /// - Parameters:
  ///   - descriptor: the ring's file; duplicated, so that the caller keeps its own.
  ///   - producers: how many threads of this process publish, if it does.
  /// - Throws: ``RingError/Code/notARing`` or ``RingError/Code/notSealed``: the file cannot be trusted to stay as it is.
  public init(attaching descriptor: Int32, producers: ProducerMode = .many) throws(RingError) {
    let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard own >= 0 else {
      throw RingError(.noMemory, errno: Glibc.errno, "the descriptor \(descriptor) cannot be used")
    }
    self.descriptor = own
    do throws(RingError) {
      let size = try Self.checkedSize(of: own)
      let memory = try RingMemory(shared: own, size: size)
      // Copied before it is checked: the maker cannot change it in between.
      let header = memory.base.load(as: SharedRingHeader.self)
      let layout = try header.layout(fileSize: size)
      role = header.flags & SharedRingHeader.creatorProduces != 0 ? .reader : .producer
      control = try RingMemory(privateBytes: RingLayout.slotsOffset)
      ring = Self.ring(memory, layout, control, producers)
    } catch {
      close(own)
      throw error
    }
    let start =
      role == .producer
      ? ring.memory.word(at: RingLayout.claim) : ring.memory.word(at: RingLayout.subscribers + 8)
    openReaderLine(at: start.pointee.load(ordering: .acquiring))
  }

  deinit {
    stopWatching()
    close(descriptor)
  }

  // MARK: The file

  private static func makeFile(of size: Int) throws(RingError) -> Int32 {
    let descriptor = ckemon_memfd_create("kemon-ring")
    guard descriptor >= 0 else {
      throw RingError(.noMemory, errno: -descriptor, "no file in memory")
    }
    guard ftruncate(descriptor, size) == 0 else {
      let error = Glibc.errno
      close(descriptor)
      throw RingError(.noMemory, errno: error, "the file cannot have \(size) bytes")
    }
    // A peer that could shrink the file could make this process fault.
    let sealed = ckemon_memfd_seal_size(descriptor)
    guard sealed == 0 else {
      close(descriptor)
      throw RingError(.noMemory, errno: -sealed, "the size of the file cannot be sealed")
    }
    return descriptor
  }

  private static func checkedSize(of descriptor: Int32) throws(RingError) -> Int {
    guard ckemon_memfd_size_is_sealed(descriptor) == 1 else {
      throw RingError(.notSealed, "the size of the file is not sealed against change")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size >= RingLayout.slotsOffset else {
      throw RingError(
        .notARing, "a file of \(status.st_size) bytes, a ring has \(RingLayout.slotsOffset) or more"
      )
    }
    return Int(status.st_size)
  }

  private static func ring(
    _ memory: RingMemory, _ layout: RingLayout, _ control: RingMemory, _ producers: ProducerMode
  ) -> ByteRing {
    ByteRing(
      memory: memory, layout: layout, control: control, hasManyProducers: producers == .many,
      fencesItself: true, isShared: true)
  }

  /// Puts both sides at a sequence: the one reader of a shared ring gates its producer.
  func openReaderLine(at sequence: UInt64) {
    ring.claim.pointee.store(sequence, ordering: .sequentiallyConsistent)
    ring.limit.pointee.store(sequence, ordering: .sequentiallyConsistent)
    ring.lineCount.pointee.store(1, ordering: .sequentiallyConsistent)
    ring.audience.pointee.store(1, ordering: .sequentiallyConsistent)
    let line = ring.line(0)
    line[1].store(sequence, ordering: .sequentiallyConsistent)
    line[0].store(LineState.gating, ordering: .sequentiallyConsistent)
  }
}
