//! A store as an evaluator: its facts by [`Ingest`], its answers by [`Evaluate`].

use std::collections::BTreeSet;
use std::fmt::Display;

use super::{Change, Evaluator};
use crate::catalog::Catalog;
use crate::eval::Evaluate;
use crate::oracle::{Named, Taken};
use crate::segment::Segment;
use crate::store::{EventStore, Ingest, Recorded};
use crate::time::Timestamp;

/// A store that takes facts in and is asked itself.
#[derive(Debug)]
pub struct StoreEvaluator<S> {
    name: &'static str,
    store: S,
}

impl<S> StoreEvaluator<S> {
    /// A store without facts, under a name for reports.
    pub fn new(name: &'static str, store: S) -> Self {
        Self { name, store }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }
}

impl<S: Ingest + EventStore<Error: Display>> Evaluator for StoreEvaluator<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn take(&mut self, change: Change) -> Result<Taken, String> {
        take(&mut self.store, change)
    }

    fn members(
        &mut self,
        segment: &Segment,
        named: &Named,
        at: Timestamp,
    ) -> Result<BTreeSet<String>, String> {
        members(&self.store, segment, named, at)
    }
}

/// Takes one step in.
///
/// # Errors
/// Why it is refused.
pub fn take(store: &mut (impl Ingest + ?Sized), change: Change) -> Result<Taken, String> {
    let taken = match change {
        Change::Event(event) => store.record(event).map(|recorded| match recorded {
            Recorded::Duplicate => Taken::Duplicate,
            Recorded::BeforeHorizon => Taken::BehindHorizon,
            _ => Taken::New,
        }),
        Change::Attribute(write) => store.write(write).map(|()| Taken::New),
        Change::User { id, seen } => store.register(&id, seen).map(|()| Taken::New),
        Change::Merge { from, into } => store.merge(&from, &into).map(|()| Taken::New),
        Change::Forget { user } => store.forget(&user).map(|()| Taken::New),
        Change::Retain { since, events } => store.retain(since, &events).map(|_| Taken::New),
    };
    taken.map_err(|error| error.to_string())
}

/// Those who satisfy an expression that may refer to named segments and lists.
///
/// # Errors
/// Why it has no answer.
pub fn members<S: EventStore<Error: Display> + ?Sized>(
    store: &S,
    segment: &Segment,
    named: &Named,
    at: Timestamp,
) -> Result<BTreeSet<String>, String> {
    let plan = catalog(named).plan_of(segment).map_err(|error| error.to_string())?;
    let members = store.members(&plan, at).map_err(|error| error.to_string())?;
    members.try_ids().map(|id| id.map_err(|error| error.to_string())).collect()
}

/// The catalog of these names. What is not valid is left out: it is an error where it is named.
pub fn catalog(named: &Named) -> Catalog {
    let mut catalog = Catalog::new();
    for (name, segment) in &named.segments {
        _ = catalog.insert(name, segment);
    }
    for (name, ids) in &named.lists {
        _ = catalog.insert_list(name, ids);
    }
    catalog
}
