//! The store as any [`EventStore`]: facts handed over user by user.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::answer;
use super::bits::Bits;
use super::cell::Cell;
use super::part::Part;
use super::snapshot::Snapshot;
use crate::plan::bounds::Bounds;
use crate::plan::{ExactSum, Leaf, Measure, Plan, Properties, ValueRef};
use crate::store::{Among, EventQuery, EventStore, StoredEvent, StoredWrite, UserId};
use crate::time::Timestamp;

/// Where the properties of an event are.
#[derive(Clone, Copy)]
enum Place<'a> {
    Part { part: &'a Part, row: usize },
    Tail(&'a [(u32, Cell)]),
}

/// An event found in the store.
#[derive(Clone, Copy)]
struct Found<'a> {
    store: &'a Snapshot,
    user: u32,
    at: i64,
    tie: u64,
    name: u32,
    place: Place<'a>,
}

impl Properties for Found<'_> {
    fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        let property = self.store.properties.find(name)?;
        let cell = match self.place {
            Place::Part { part, row } => part.column(property)?.get(row),
            Place::Tail(cells) => cells.iter().find(|(have, _)| *have == property)?.1,
        };
        self.store.value(cell)
    }
}

impl Snapshot {
    /// The events of some names of one user within `[lo, hi]`, by name, in no order of time.
    fn events_of<'a>(&'a self, names: &[u32], user: u32, (lo, hi): (i64, i64), found: &mut Vec<Found<'a>>) {
        let inside = Bounds { lo, hi };
        for &name in names {
            for part in self.parts_of_user(name, user, lo, hi) {
                self.rows_in(name, part, part.rows_inside(user, inside), found);
            }
            for row in self.tail.rows_of(name, user, inside) {
                let place = Place::Tail(row.properties);
                found.push(Found { store: self, user, at: row.at, tie: row.tie, name, place });
            }
        }
    }

    fn rows_in<'a>(
        &'a self,
        name: u32,
        part: &'a Part,
        rows: std::ops::Range<usize>,
        found: &mut Vec<Found<'a>>,
    ) {
        let Some(high) = part.blocks().iter().find(|block| block.rows().contains(&rows.start)) else {
            return;
        };
        let high = u32::from(high.high) << 16;
        found.extend(rows.map(|row| Found {
            store: self,
            user: high | u32::from(part.users()[row]),
            at: part.at(row),
            tie: part.tie(row),
            name,
            place: Place::Part { part, row },
        }));
    }

    /// The events of some names of the users with one high half.
    fn events_of_block<'a>(
        &'a self,
        names: &[u32],
        high: u16,
        (lo, hi): (i64, i64),
        found: &mut Vec<Found<'a>>,
    ) {
        for &name in names {
            for part in self.parts(name, lo, hi) {
                if let Some(block) = part.block(high) {
                    self.rows_in(name, part, block.rows(), found);
                }
            }
            for row in self.tail.rows_of_name(name).filter(|row| row.user >> 16 == u32::from(high)) {
                let place = Place::Tail(row.properties);
                found.push(Found { store: self, user: row.user, at: row.at, tie: row.tie, name, place });
            }
        }
    }

    /// Hands the events over, user by user, each user's in order.
    fn hand_over(
        &self,
        found: &mut Vec<Found<'_>>,
        among: Among<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredEvent<'_>]),
    ) {
        // stable and adaptive: what comes from one part is sorted already
        found.sort_by_key(|event| (event.user, event.at, event.tie));
        let mut events = Vec::new();
        for of_user in found.chunk_by(|a, b| a.user == b.user) {
            let Some(user) = of_user.first().map(|event| UserId(event.user)) else { continue };
            if !among.contains(user) || self.users.first_seen(user.0).is_none() {
                continue;
            }
            events.clear();
            events.extend(of_user.iter().map(|event| StoredEvent {
                at: Timestamp::from_millis(event.at),
                name: self.names.get(event.name),
                properties: event,
            }));
            visit(user, &events);
        }
        found.clear();
    }

    /// The universe at an instant, as far as it is asked about.
    pub(super) fn asked(&self, at: Timestamp, among: Among<'_>) -> Arc<Bits> {
        let mut everyone = self.everyone(at);
        match among {
            Among::Everyone => {}
            Among::Users(users) => {
                Arc::make_mut(&mut everyone).and(&Bits::from_roaring(self.users.numbers(), users));
            }
            Among::User(UserId(user)) => {
                let mut only = Bits::none(self.users.numbers());
                only.insert(user);
                Arc::make_mut(&mut everyone).and(&only);
            }
        }
        everyone
    }

    fn seen_of(&self, user: u32) -> Option<Timestamp> {
        self.users.first_seen(user).map(Timestamp::from_millis)
    }
}

impl EventStore for Snapshot {
    type Error = Infallible;

    fn user(&self, id: &str) -> Result<Option<UserId>, Infallible> {
        Ok(self.users.find(id).filter(|&user| self.users.first_seen(user).is_some()).map(UserId))
    }

    fn ids(&self, users: &RoaringBitmap, visit: &mut dyn FnMut(UserId, &str)) -> Result<(), Infallible> {
        for user in users {
            if let Some(id) = self.users.id(user) {
                visit(UserId(user), id);
            }
        }
        Ok(())
    }

    fn seen(&self, among: Among<'_>, visit: &mut dyn FnMut(UserId, Timestamp)) -> Result<(), Infallible> {
        let mut visit_one = |user| self.seen_of(user).into_iter().for_each(|at| visit(UserId(user), at));
        match among {
            Among::Everyone => (0u32..).take(self.users.numbers()).for_each(visit_one),
            Among::Users(users) => users.iter().for_each(visit_one),
            Among::User(UserId(user)) => visit_one(user),
        }
        Ok(())
    }

    fn events(
        &self,
        query: &EventQuery<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredEvent<'_>]),
    ) -> Result<(), Infallible> {
        let names = self.matching_names(query.events);
        let range = (query.from.millis(), query.to.millis());
        let mut found = Vec::new();
        if let Among::User(UserId(user)) = query.among {
            self.events_of(&names, user, range, &mut found);
            self.hand_over(&mut found, query.among, visit);
            return Ok(());
        }
        for high in self.blocks() {
            self.events_of_block(&names, high, range, &mut found);
            self.hand_over(&mut found, query.among, visit);
        }
        Ok(())
    }

    fn writes(
        &self,
        attribute: &str,
        among: Among<'_>,
        visit: &mut dyn FnMut(UserId, &[StoredWrite<'_>]),
    ) -> Result<(), Infallible> {
        let Some(table) = self.attributes.table(attribute) else { return Ok(()) };
        let mut stored = Vec::new();
        let mut visit_one = |user, writes: &[super::attributes::Write]| {
            stored.clear();
            stored.extend(writes.iter().map(|write| self.stored(write)));
            if !stored.is_empty() {
                visit(UserId(user), &stored);
            }
        };
        match among {
            Among::Everyone => table.iter().for_each(|(user, writes)| visit_one(user, writes)),
            Among::Users(users) => users.iter().for_each(|user| visit_one(user, table.writes_of(user))),
            Among::User(UserId(user)) => visit_one(user, table.writes_of(user)),
        }
        Ok(())
    }

    fn universe(&self, at: Timestamp) -> Result<RoaringBitmap, Infallible> {
        Ok(self.everyone(at).to_roaring())
    }

    fn resolve(
        &self,
        leaves: &[&Leaf],
        at: Timestamp,
        among: Among<'_>,
    ) -> Result<Vec<RoaringBitmap>, Infallible> {
        if let Among::User(UserId(user)) = among {
            let known = self.users.first_seen(user).is_some_and(|seen| seen <= at.millis());
            let holds =
                |leaf: &&Leaf| (known && self.leaf_of(leaf, at, user)).then_some(user).into_iter().collect();
            return Ok(leaves.iter().map(holds).collect());
        }
        let everyone = self.asked(at, among);
        let answer = |leaf: &&Leaf| {
            let mut bits = self.leaf(leaf, at);
            bits.and(&everyone);
            bits.to_roaring()
        };
        Ok(leaves.iter().map(answer).collect())
    }

    fn numbers(
        &self,
        measures: &[&Measure],
        at: Timestamp,
        among: Among<'_>,
        visit: &mut dyn FnMut(UserId, &[ExactSum]),
    ) -> Result<(), Infallible> {
        if let Among::User(UserId(user)) = among {
            if self.users.first_seen(user).is_some_and(|seen| seen <= at.millis()) {
                let numbers: Vec<_> =
                    measures.iter().map(|measure| self.measured_of(measure, at, user)).collect();
                visit(UserId(user), &numbers);
            }
            return Ok(());
        }
        let everyone = self.asked(at, among);
        let mut numbers: BTreeMap<u32, Vec<ExactSum>> = BTreeMap::new();
        for (i, measure) in measures.iter().enumerate() {
            self.measured(measure, at, &mut |user, number| {
                if everyone.contains(user) {
                    let of_user = numbers.entry(user).or_insert_with(|| vec![ExactSum::ZERO; measures.len()]);
                    of_user[i] = number;
                }
            });
        }
        numbers.iter().for_each(|(user, numbers)| visit(UserId(*user), numbers));
        Ok(())
    }

    fn answer(&self, plan: &Plan, at: Timestamp, among: Among<'_>) -> Result<Vec<RoaringBitmap>, Infallible> {
        Ok(answer::answer(self, plan, at, among))
    }

    fn answer_counts(&self, plan: &Plan, at: Timestamp) -> Result<Vec<u64>, Infallible> {
        Ok(answer::sets(self, plan, at, Among::Everyone).iter().map(|set| set.len()).collect())
    }

    fn answer_user(&self, plan: &Plan, user: UserId, at: Timestamp) -> Result<Vec<bool>, Infallible> {
        Ok(answer::answer_user(self, plan, user.number(), at))
    }
}
