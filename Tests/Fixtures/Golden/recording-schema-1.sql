CREATE INDEX event_kind ON event (kind);
CREATE INDEX event_pid ON event (pid);
CREATE INDEX event_seq ON event (seq);
CREATE INDEX event_time ON event (time_ns);
CREATE INDEX event_verdict ON event (verdict, decided_by) WHERE verdict > 0;
CREATE TABLE event (
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, time_ns INTEGER NOT NULL,
  kind INTEGER NOT NULL, pid INTEGER NOT NULL, verdict INTEGER NOT NULL,
  decided_by INTEGER NOT NULL, corr INTEGER NOT NULL, result INTEGER NOT NULL,
  record BLOB NOT NULL);
CREATE TABLE kind (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL, family TEXT NOT NULL, phase TEXT NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE name (
  what TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (what, id)) WITHOUT ROWID;
CREATE VIEW events AS
  SELECT event.id, event.seq, event.time_ns, event.kind, kind.name, kind.family, kind.phase,
    event.pid, verdict.name AS verdict, plugin.name AS decided_by, event.corr, event.result,
    event.record
  FROM event
  LEFT JOIN kind ON kind.number = event.kind
  LEFT JOIN name AS verdict ON verdict.what = 'verdict' AND verdict.id = event.verdict
  LEFT JOIN name AS plugin ON plugin.what = 'plugin' AND plugin.id = event.decided_by;
