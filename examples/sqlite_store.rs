//! A store of one's own over a SQLite file: five reading methods are all that segments need. The tables are in
//! `sqlite_store.sql`; `tests/stores.rs` holds the store against the suite that comes with the crate.

use roaring::RoaringBitmap;
use rusqlite::{Connection as Db, OptionalExtension, Params, params, types::FromSql};
use serde::de::DeserializeOwned;
use whodid::store::{Among, BatchError, EventQuery, StoredEvent, StoredWrite};
use whodid::{AttributeWrite, Evaluate, Event, EventStore, Fact, Ingest, IngestError, Recorded};
use whodid::{Timestamp, UserId, Value, days, did, segment::EventPattern};

type Failure = Box<dyn std::error::Error>;
type Done<T> = Result<T, Failure>;
type Properties = Vec<(String, Value)>;

fn run(db: &Db, sql: &str, params: impl Params) -> Done<usize> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}

/// The first column of the first row.
fn first<T: FromSql>(db: &Db, sql: &str, params: impl Params) -> Done<Option<T>> {
    Ok(db.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}

/// What a merged id names, and else the id itself.
fn current(db: &Db, id: &str) -> Done<String> {
    Ok(first(db, "SELECT into_id FROM names WHERE id = ?", [id])?.unwrap_or_else(|| id.into()))
}

/// The number of a user, made where there is none, seen at an instant at the latest.
fn saw(db: &Db, id: &str, at: i64) -> Done<Option<i64>> {
    let upsert = "INSERT INTO users (id, seen) VALUES (?1, ?2)
        ON CONFLICT (id) DO UPDATE SET seen = min(seen, ?2) RETURNING number";
    first(db, upsert, params![current(db, id)?, at])
}

/// Adds an event, with a list of properties, or a write, with a value or none.
fn add(db: &Db, user: &str, is_event: bool, name: &str, at: i64, json: String) -> Done<()> {
    let add = "INSERT INTO facts (user, is_event, name, at, json) VALUES (?, ?, ?, ?, ?)";
    run(db, add, params![saw(db, user, at)?, is_event, name, at, json]).map(drop)
}

/// A pattern as SQLite writes it.
fn glob(pattern: &EventPattern) -> String {
    let (EventPattern::Name(text) | EventPattern::Prefix(text)) = pattern;
    let literal = text.replace('[', "[[]").replace('*', "[*]").replace('?', "[?]");
    if matches!(pattern, EventPattern::Prefix(_)) { literal + "*" } else { literal }
}

/// Facts in a SQLite file.
pub struct SqliteStore(Db);

impl SqliteStore {
    /// A store in a database, which may be new.
    pub fn new(db: Db) -> Done<Self> {
        db.execute_batch(include_str!("sqlite_store.sql"))?;
        Ok(Self(db))
    }
}

/// Visits the rows of a query: a user, and JSON.
fn each<T: DeserializeOwned>(db: &Db, sql: &str, of: impl Params, mut f: impl FnMut(UserId, T)) -> Done<()> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(of)?;
    while let Some(row) = rows.next()? {
        f(UserId::new(row.get(0)?), serde_json::from_str(row.get_ref(1)?.as_str()?)?);
    }
    Ok(())
}

impl EventStore for SqliteStore {
    type Error = Failure;

    fn user(&self, id: &str) -> Done<Option<UserId>> {
        Ok(first(&self.0, "SELECT number FROM users WHERE id = ?", [current(&self.0, id)?])?.map(UserId::new))
    }

    fn ids(&self, users: &RoaringBitmap, visit: &mut dyn FnMut(UserId, &str)) -> Done<()> {
        let sql = "SELECT number, json_quote(id) FROM users WHERE number IN (SELECT value FROM json_each(?))";
        let users = serde_json::to_string(&users.iter().collect::<Vec<_>>())?;
        each(&self.0, sql, [users], |user, id: String| visit(user, &id))
    }

    fn seen(&self, among: Among, visit: &mut dyn FnMut(UserId, Timestamp)) -> Done<()> {
        let sql = "SELECT number, CAST(seen AS TEXT) FROM users WHERE number = ifnull(?, number)";
        each(&self.0, sql, [only(among)], |user, seen| visit(user, Timestamp::from_millis(seen)))
    }

    fn events(&self, query: &EventQuery, visit: &mut dyn FnMut(UserId, &[StoredEvent])) -> Done<()> {
        let names = serde_json::to_string(&query.events.iter().map(glob).collect::<Vec<_>>())?;
        let sql =
            "SELECT user, json_group_array(json_array(at, name, json(json)) ORDER BY at, arrival) FROM facts
            WHERE user = ifnull(?, user) AND is_event AND at BETWEEN ? AND ?
            AND EXISTS (SELECT 1 FROM json_each(?) WHERE name GLOB value) GROUP BY user";
        let of = params![only(query.among), query.from.millis(), query.to.millis(), names];
        each(&self.0, sql, of, |user, facts: Vec<(i64, String, Properties)>| {
            let at = Timestamp::from_millis;
            let events = facts.iter().map(|(ms, name, of)| StoredEvent { at: at(*ms), name, properties: of });
            visit(user, &events.collect::<Vec<_>>());
        })
    }

    fn writes(&self, name: &str, among: Among, visit: &mut dyn FnMut(UserId, &[StoredWrite])) -> Done<()> {
        let sql = "SELECT user, json_group_array(json_array(at, json(json)) ORDER BY at, arrival) FROM facts
            WHERE user = ifnull(?, user) AND NOT is_event AND name = ? GROUP BY user";
        each(&self.0, sql, params![only(among), name], |user, facts: Vec<(i64, Option<Value>)>| {
            let facts = facts.iter().map(|(ms, of)| (Timestamp::from_millis(*ms), of.as_ref()));
            let writes = facts.map(|(at, of)| StoredWrite { at, value: of.map(Into::into) });
            visit(user, &writes.collect::<Vec<_>>());
        })
    }
}

/// The one user asked about. Only a hint: to hand over more is allowed.
fn only(among: Among) -> Option<u32> {
    among.only().map(UserId::number)
}

impl Ingest for SqliteStore {
    type Error = Failure;

    fn record(&mut self, event: Event) -> Done<Recorded> {
        event.check()?;
        let (whole, name, at) = (self.0.savepoint()?, event.name(), event.at().millis());
        if first::<i64>(&whole, "SELECT 1 FROM event_ids WHERE id = ?", [event.event_id()])?.is_some() {
            return Ok(Recorded::Duplicate);
        }
        let horizon = "SELECT 1 FROM horizons WHERE since > ? AND ? GLOB pattern";
        if first::<i64>(&whole, horizon, params![at, name])?.is_some() {
            return Ok(Recorded::BeforeHorizon);
        }
        let keep = "INSERT INTO event_ids SELECT ?1, ?2, ?3 WHERE ?1 IS NOT NULL";
        run(&whole, keep, params![event.event_id(), name, at])?;
        add(&whole, event.user(), true, name, at, serde_json::to_string(event.properties())?)?;
        Ok(whole.commit().map(|()| Recorded::New)?)
    }

    fn write(&mut self, write: AttributeWrite) -> Done<()> {
        write.check()?;
        let (whole, json) = (self.0.savepoint()?, serde_json::to_string(&write.value())?);
        add(&whole, write.user(), false, write.name(), write.at().millis(), json)?;
        Ok(whole.commit()?)
    }

    fn register(&mut self, user: &str, seen: Timestamp) -> Done<()> {
        Fact::user(user, seen).check()?;
        saw(&self.0, user, seen.millis()).map(drop)
    }

    fn current_id<'a>(&'a self, id: &'a str) -> Done<std::borrow::Cow<'a, str>> {
        current(&self.0, id).map(Into::into)
    }

    fn merge(&mut self, from: &str, into: &str) -> Done<()> {
        [from, into].iter().try_for_each(|id| Fact::user(*id, Timestamp::MIN).check())?;
        let (old, new) = (current(&self.0, from)?, current(&self.0, into)?);
        if old == new {
            Err(IngestError::MergedIntoItself { from: from.into(), into: into.into() })?;
        }
        run(&self.0, "INSERT INTO names VALUES (?, ?)", [old, new]).map(drop)
    }

    fn forget(&mut self, user: &str) -> Done<()> {
        let whole = self.0.savepoint()?;
        let id = current(&whole, user)?;
        run(&whole, "DELETE FROM users WHERE id = ?", [&id])?;
        run(&whole, "DELETE FROM names WHERE into_id = ?", [&id])?;
        Ok(whole.commit()?)
    }

    fn retain(&mut self, since: Timestamp, events: &[EventPattern]) -> Done<u64> {
        Fact::user("anyone", since).check()?; // of the years in which there are facts
        let whole = self.0.savepoint()?;
        for pattern in events.iter().map(glob) {
            run(&whole, "INSERT INTO horizons VALUES (?, ?)", params![pattern, since.millis()])?;
        }
        let old = "EXISTS (SELECT 1 FROM horizons WHERE at < since AND name GLOB pattern)";
        run(&whole, &format!("DELETE FROM event_ids WHERE {old}"), [])?;
        let dropped = run(&whole, &format!("DELETE FROM facts WHERE is_event AND {old}"), [])?;
        Ok(whole.commit().map(|()| dropped as u64)?)
    }

    fn take_all(&mut self, facts: Vec<Fact>) -> Result<Vec<Recorded>, BatchError<Failure>> {
        let failed = |index| move |error: Failure| BatchError { index, error };
        let batch = |db: &Db, sql| db.execute_batch(sql).map_err(|e| failed(0)(e.into()));
        batch(&self.0, "SAVEPOINT batch")?;
        let each = facts.into_iter().enumerate();
        let taken = each.map(|(i, fact)| self.take(fact).map_err(failed(i))).collect::<Result<Vec<_>, _>>();
        batch(&self.0, if taken.is_ok() { "RELEASE batch" } else { "ROLLBACK TO batch; RELEASE batch" })?;
        taken
    }
}

fn main() -> Done<()> {
    let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
    let mut store = SqliteStore::new(Db::open(std::env::temp_dir().join("whodid.sqlite"))?)?;
    store.record(Event::new("ada", "login", now.minus(days(3))).id("m-1"))?;
    println!("logged in lately: {}", store.count(&did("login").last(days(30)), now)?);
    Ok(())
}
