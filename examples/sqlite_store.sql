-- The tables of sqlite_store.rs.
PRAGMA foreign_keys = ON;
-- Who has facts, or was registered.
CREATE TABLE IF NOT EXISTS users (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, seen INTEGER);
-- What a merged id names, without detours.
CREATE TABLE IF NOT EXISTS names (id TEXT PRIMARY KEY, into_id TEXT);
-- Of events; those of users who were forgotten stay.
CREATE TABLE IF NOT EXISTS event_ids (id TEXT PRIMARY KEY, name TEXT, at INTEGER);
-- Since when events are kept whose name matches the pattern, as GLOB reads it.
CREATE TABLE IF NOT EXISTS horizons (pattern TEXT, since INTEGER);
-- Events, with their properties, and writes of attributes, with the value; null where it was removed.
CREATE TABLE IF NOT EXISTS facts (
    arrival INTEGER PRIMARY KEY,
    user INTEGER REFERENCES users ON DELETE CASCADE,
    is_event INTEGER,
    name TEXT,
    at INTEGER,
    json TEXT
);
CREATE INDEX IF NOT EXISTS facts_of_users ON facts (user, is_event, at);

-- Merging: all facts of one user become facts of the other, in their order of arrival.
CREATE TRIGGER IF NOT EXISTS merge BEFORE INSERT ON names BEGIN
    UPDATE names SET into_id = NEW.into_id WHERE into_id = NEW.id;
    INSERT INTO users (id, seen) SELECT NEW.into_id, seen FROM users WHERE id = NEW.id
        ON CONFLICT (id) DO UPDATE SET seen = min(seen, excluded.seen);
    UPDATE facts SET user = (SELECT number FROM users WHERE id = NEW.into_id)
        WHERE user = (SELECT number FROM users WHERE id = NEW.id);
    DELETE FROM users WHERE id = NEW.id;
END;
