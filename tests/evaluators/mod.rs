//! Everything that answers segments, each behind one small trait.

use std::collections::BTreeSet;

use whodid::oracle::{Named, Oracle, Taken};
use whodid::segment::Segment;
use whodid::testing::{Change, Evaluator, PlainStore, StoreEvaluator, members, take};
use whodid::{MemoryStore, Timestamp};

/// A new evaluator without facts.
pub type New = fn() -> Box<dyn Evaluator>;

/// All of them, the oracle first.
pub fn all() -> Vec<New> {
    vec![
        || Box::new(Oracle::new()),
        || Box::new(StoreEvaluator::new("plain store", PlainStore::new())),
        || Box::new(Memory(MemoryStore::new())),
    ]
}

/// The in-memory store, asked by its snapshots.
struct Memory(MemoryStore);

impl Evaluator for Memory {
    fn name(&self) -> &'static str {
        "memory store"
    }

    fn take(&mut self, change: Change) -> Result<Taken, String> {
        take(&mut self.0, change)
    }

    fn members(
        &mut self,
        segment: &Segment,
        named: &Named,
        at: Timestamp,
    ) -> Result<BTreeSet<String>, String> {
        members(&self.0.snapshot(), segment, named, at)
    }
}
