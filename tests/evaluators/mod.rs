//! Everything that answers segments, each behind one small trait.

#![allow(dead_code, clippy::expect_used)] // not every test binary uses all of it

mod sqlite;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Display;

use whodid::oracle::{Named, Oracle, Taken};
use whodid::segment::Segment;
use whodid::testing::{Change, Evaluator, Inherited, PlainStore, StoreEvaluator, catalog, take};
use whodid::{Catalog, Evaluate, EventStore, Ingest, MemoryStore, Snapshot, Timestamp};

/// A new evaluator without facts.
pub type New = fn() -> Box<dyn Evaluator>;

/// All of them, the oracle first.
pub fn all() -> Vec<New> {
    vec![
        || Box::new(Oracle::new()),
        || Memory::boxed("memory", 0, members),
        || Memory::boxed("memory, compacted all the time", 3, members),
        || Memory::sealing("memory, sealed all the time", 2),
        || Memory::boxed("memory, user by user", 20, one_by_one),
        || Memory::boxed("memory, as a catalog", 50, as_catalog),
        || {
            Memory::boxed("memory, by what every store has", 7, |s, n, e, at| {
                members(&Inherited(s), n, e, at)
            })
        },
    ]
}

/// Stores that override nothing of what every store has: a plain list, and one outside of the crate.
#[allow(dead_code)] // of the tests that have no time for them; `tests/stores.rs` has
pub fn outside() -> Vec<New> {
    vec![|| Box::new(StoreEvaluator::new("plain store", PlainStore::new())), || {
        Box::new(StoreEvaluator::new("SQLite store", sqlite::new_store()))
    }]
}

/// A store in which the users of a test come after so many others that they lie in two blocks of 65 536.
pub fn beyond_a_block() -> Box<dyn Evaluator> {
    const FILLER: &str = "filler ";
    let mut store = MemoryStore::new();
    for i in 0..65_534 {
        store.register(&format!("{FILLER}{i}"), Timestamp::MAX).expect("a user");
    }
    let ask: Ask = |snapshot, catalog, segment, at| {
        let mut ids = members(snapshot, catalog, segment, at)?;
        ids.retain(|id| !id.starts_with(FILLER));
        Ok(ids)
    };
    Box::new(Memory { name: "memory, in two blocks", store, taken: 0, compacts: 25, ask })
}

/// The in-memory store, and a way of asking it.
struct Memory {
    name: &'static str,
    store: MemoryStore,
    taken: usize,
    /// Compacts after every so many facts; 0: never.
    compacts: usize,
    ask: Ask,
}

type Ask = fn(&Snapshot, &Catalog, &Segment, Timestamp) -> Result<BTreeSet<String>, String>;

impl Memory {
    fn boxed(name: &'static str, compacts: usize, ask: Ask) -> Box<dyn Evaluator> {
        Box::new(Self { name, store: MemoryStore::new(), taken: 0, compacts, ask })
    }

    /// One whose events lie in several parts of one bucket.
    fn sealing(name: &'static str, after: usize) -> Box<dyn Evaluator> {
        let store = MemoryStore::new().seal_after(after);
        Box::new(Self { name, store, taken: 0, compacts: 0, ask: members })
    }
}

impl Evaluator for Memory {
    fn name(&self) -> &'static str {
        self.name
    }

    fn take(&mut self, change: Change) -> Result<Taken, String> {
        self.taken += 1;
        if self.compacts > 0 && self.taken.is_multiple_of(self.compacts) {
            self.store.compact();
        }
        take(&mut self.store, change)
    }

    fn members(
        &mut self,
        segment: &Segment,
        named: &Named,
        at: Timestamp,
    ) -> Result<BTreeSet<String>, String> {
        (self.ask)(&self.store.snapshot(), &catalog(named), segment, at)
    }
}

/// Asks for the members, and that their number is the same.
pub fn members<S: EventStore<Error = Infallible>>(
    store: &S,
    catalog: &Catalog,
    segment: &Segment,
    at: Timestamp,
) -> Result<BTreeSet<String>, String> {
    let plan = catalog.plan_of(segment).map_err(text)?;
    let members = store.members(&plan, at).map_err(text)?;
    let (len, count) = (members.len(), store.count(&plan, at).map_err(text)?);
    let ids: BTreeSet<String> = members.ids().collect();
    if len == count && len == ids.len() as u64 { Ok(ids) } else { Err(format!("{len}, {count} or {ids:?}?")) }
}

/// Asks of every user alone.
fn one_by_one(
    store: &Snapshot,
    catalog: &Catalog,
    segment: &Segment,
    at: Timestamp,
) -> Result<BTreeSet<String>, String> {
    let plan = catalog.plan_of(segment).map_err(text)?;
    let everyone: Vec<String> = store.everyone(Timestamp::MAX).map_err(text)?.ids().collect();
    let mut ids = BTreeSet::new();
    for user in everyone {
        if store.is_member(&user, &plan, at).map_err(text)? {
            ids.insert(user);
        }
    }
    // Of no user at all, the question is still checked.
    store.is_member("stranger", &plan, at).map_err(text)?;
    Ok(ids)
}

/// Asks for it as one of the segments of its catalog, where those can all be asked.
fn as_catalog(
    store: &Snapshot,
    catalog: &Catalog,
    segment: &Segment,
    at: Timestamp,
) -> Result<BTreeSet<String>, String> {
    const NAME: &str = "the segment asked for";
    if catalog.plan().is_err() {
        return members(store, catalog, segment, at);
    }
    let mut catalog = catalog.clone();
    catalog.insert(NAME, segment.clone()).map_err(text)?;
    let answers = store.evaluate(&catalog, at).map_err(text)?;
    let ids: BTreeSet<String> = answers[NAME].ids().collect();
    for user in store.everyone(at).map_err(text)?.ids() {
        let listed = store.segments_of(&user, &catalog, at).map_err(text)?;
        if listed.iter().any(|name| name == NAME) != ids.contains(&user) {
            return Err(format!("{user} is in {listed:?}, or not?"));
        }
    }
    Ok(ids)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
