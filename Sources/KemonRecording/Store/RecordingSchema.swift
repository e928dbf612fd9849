// SPDX-License-Identifier: Apache-2.0

import GRDB
import KemonEvents

/// The tables of a recording.
///
/// `event` holds what is needed to find a record, and the record itself. The labels of kinds, verdicts, plugins and
/// handlers are kept once, and the view `events` puts them beside each event:
///
///     sqlite3 x.kemon "select name, phase, verdict, decided_by, count(*) from events group by 1, 2, 3, 4"
enum RecordingSchema {
  /// `PRAGMA application_id`: "Kemo".
  static let applicationID: Int32 = 0x4B65_6D6F
  /// `PRAGMA user_version`: the revision of these tables.
  static let version: Int32 = 1

  /// Where the header of an SQLite file keeps these and how it is written, big endian.
  static let versionOffset = 60
  static let writeVersionOffset = 18
  static let applicationIDOffset = 68
  static let headerSize = 100
  static let magic = Array("SQLite format 3\0".utf8)

  static let insertEvent = """
    INSERT INTO event (seq, time_ns, kind, pid, verdict, decided_by, corr, result, record)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    """

  /// What is read back: of a recording from elsewhere these must be tables, and exactly these.
  static let tables = [
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "name": """
    CREATE TABLE name (
      what TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
      PRIMARY KEY (what, id)) WITHOUT ROWID
    """,
    "event": """
    CREATE TABLE event (
      id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, time_ns INTEGER NOT NULL,
      kind INTEGER NOT NULL, pid INTEGER NOT NULL, verdict INTEGER NOT NULL,
      decided_by INTEGER NOT NULL, corr INTEGER NOT NULL, result INTEGER NOT NULL,
      record BLOB NOT NULL)
    """,
  ]

  /// What makes looking for events quick and readable.
  private static let comforts = [
    """
    CREATE TABLE kind (
      number INTEGER PRIMARY KEY, name TEXT NOT NULL, family TEXT NOT NULL, phase TEXT NOT NULL)
    """,
    "CREATE INDEX event_seq ON event (seq)",
    "CREATE INDEX event_time ON event (time_ns)",
    "CREATE INDEX event_kind ON event (kind)",
    "CREATE INDEX event_pid ON event (pid)",
    "CREATE INDEX event_verdict ON event (verdict, decided_by) WHERE verdict > 0",
    """
    CREATE VIEW events AS
      SELECT event.id, event.seq, event.time_ns, event.kind, kind.name, kind.family, kind.phase,
        event.pid, verdict.name AS verdict, plugin.name AS decided_by, event.corr, event.result,
        event.record
      FROM event
      LEFT JOIN kind ON kind.number = event.kind
      LEFT JOIN name AS verdict ON verdict.what = 'verdict' AND verdict.id = event.verdict
      LEFT JOIN name AS plugin ON plugin.what = 'plugin' AND plugin.id = event.decided_by
    """,
  ]

  static func create(in database: Database) throws {
    for sql in tables.sorted(by: { $0.key < $1.key }).map(\.value) + comforts {
      try database.execute(sql: sql)
    }
    try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    try database.execute(sql: "PRAGMA user_version = \(version)")
    for info in EventKind.allKinds.compactMap(\.info) {
      try database.execute(
        sql: "INSERT INTO kind VALUES (?, ?, ?, ?)",
        arguments: [info.kind.rawValue, info.name, info.family.name, info.phase.name])
    }
    for action in VerdictAction.allCases {
      try insert(name: action.name, of: Int64(action.rawValue), as: "verdict", in: database)
    }
  }

  /// Says what is wrong with the tables of a file, or nil when they can be read.
  ///
  /// A view in the place of a table could run for ever, and would not be what was recorded.
  static func problem(readingFrom database: Database) throws -> String? {
    let found = try statements(of: database)
    return tables.first { !found.contains($0.value) }
      .map { "the table \"\($0.key)\" is not that of schema version \(version)" }
  }

  /// Says what is wrong with the tables of a file, or nil when it can be written.
  ///
  /// A trigger or an index of somebody else would run with each event.
  static func problem(appendingTo database: Database) throws -> String? {
    let expected = Set(tables.values).union(comforts)
    let found = try statements(of: database)
    if let foreign = found.subtracting(expected).min() {
      return "not appended to: its schema has more than a recording's: \(Printable.text(foreign))"
    }
    return try problem(readingFrom: database)
  }

  private static func statements(of database: Database) throws -> Set<String> {
    try String.fetchSet(database, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
  }

  /// Keeps what a kind is that was declared at run time: its number is another one in the next run.
  static func insert(declared kind: EventKind, in database: Database) throws {
    guard let info = kind.info, let declaration = kind.declaration else { return }
    try insert(
      name: declaration.text, of: Int64(kind.rawValue), as: declaredKind, in: database)
    try database.execute(
      sql: "INSERT OR REPLACE INTO kind VALUES (?, ?, ?, ?)",
      arguments: [kind.rawValue, info.name, info.family.name, info.phase.name])
  }

  /// What the table `name` calls the declarations of kinds.
  static let declaredKind = "kind"

  static func insert(
    name: String, of id: Int64, as what: String, in database: Database
  ) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO name VALUES (?, ?, ?)", arguments: [what, id, name])
  }
}
