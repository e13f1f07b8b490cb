//! Whatever reads as a segment is answered, over facts of every kind, alike by the in-memory store (for all users
//! and for one) and by the reference oracle; it can be described, planned and measured by its count.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use whodid::oracle::{Named, Oracle};
use whodid::segment::Segment;
use whodid::testing::{Change, Evaluator, catalog, facts, named, take};
use whodid::{Catalog, Evaluate, MemoryStore, Timestamp};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(segment) = Segment::from_json(text) else { return };
    for at in &WORLD.instants {
        WORLD.ask(&segment, *at);
    }
});

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// The same facts in the store and in the oracle, and names to refer to.
struct World {
    store: MemoryStore,
    oracle: Oracle,
    catalog: Catalog,
    named: Named,
    instants: Vec<Timestamp>,
}

impl World {
    fn new() -> Self {
        let mut runner = TestRunner::deterministic();
        let named = named().new_tree(&mut runner).expect("names").current();
        let (mut store, mut oracle) = (MemoryStore::new().seal_after(20), Oracle::new());
        for fact in (0..6).flat_map(|_| facts().new_tree(&mut runner).expect("facts").current()) {
            // most of what erases would leave nothing to ask
            if matches!(
                fact,
                Change::Event(_) | Change::Attribute(_) | Change::User { .. } | Change::Merge { .. }
            ) {
                let _ = (take(&mut store, fact.clone()), oracle.take(fact));
            }
        }
        let instants = [
            "2026-06-15T12:00:00Z",
            "2026-03-29T12:00:00Z",
            "2010-11-07T02:31:30Z",
            "9999-12-31T23:59:59.999Z",
        ];
        let instants = instants.map(|at| at.parse().expect("an instant")).to_vec();
        Self { catalog: catalog(&named), store, oracle, named, instants }
    }

    fn ask(&self, segment: &Segment, at: Timestamp) {
        let expected = self.oracle.members(segment, &self.named, at);
        let plan = match self.catalog.plan_of(segment) {
            Ok(plan) => plan,
            Err(error) => return assert!(expected.is_err(), "{error}, but {expected:?} at {at}"),
        };
        let members = self.store.members(&plan, at).expect("an answer");
        let ids: BTreeSet<String> = members.ids().collect();
        assert_eq!(Ok(&ids), expected.as_ref(), "at {at}: {segment}");
        assert_eq!(self.store.count(&plan, at), Ok(members.len()));
        let everyone = self.oracle.universe(at).expect("an instant in range");
        for user in everyone {
            let is_member = self.store.is_member(&user, &plan, at).expect("an answer");
            assert_eq!(is_member, ids.contains(&user), "{user} at {at}: {segment}");
        }
        assert!(!segment.to_string().is_empty() && !plan.to_string().is_empty());
    }
}
