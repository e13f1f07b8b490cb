//! Leaves answered from the store's own columns, as words of bits.
//!
//! Every leaf can be answered by its own law over the hits of each user ([`hits`]); the shapes that backends ask
//! most have ways of their own, which agree with it.

mod active;
mod asked;
mod cache;
mod carried;
mod counts;
mod distinct;
mod filter;
mod gaps;
mod hits;
mod index;
mod instants;
mod ladder;
mod later;
mod latest;
mod point;
mod rows;
mod scan;
mod sequences;
mod sums;
mod thresholds;
mod units;

pub(super) use index::Indexes;

use super::bits::Bits;
use super::cell::Cell;
use super::snapshot::Snapshot;
use crate::plan::{ExactSum, Leaf, LeafAt, Measure};
use crate::time::Timestamp;
use hits::Question;

impl Leaf {
    /// The question of a leaf over events at an instant.
    fn question<'a>(&'a self, store: &'a Snapshot, at: &LeafAt<'_>, t: i64) -> Question<'a> {
        let wanted = [self.of(), self.same()];
        Question { store, t, matchers: self.matchers(), reach: at.reach(), wanted, anchor: self.anchor() }
    }
}

impl Snapshot {
    /// The users for whom a leaf holds at `t`; beyond the universe the bits mean nothing.
    pub(super) fn leaf(&self, leaf: &Leaf, t: Timestamp) -> Bits {
        let (at, t) = (leaf.at(t), t.millis());
        match leaf {
            Leaf::Did(behaviour) => {
                let question = leaf.question(self, &at, t);
                counts::fast(self, behaviour, &at, t, &question).unwrap_or_else(|| question.holds(&at))
            }
            Leaf::Sequence(chain) => {
                let question = leaf.question(self, &at, t);
                sequences::fast(self, chain, &at, t, &question).unwrap_or_else(|| question.holds(&at))
            }
            Leaf::Attribute(test) => {
                let by_value = || self.with_value(test.name(), t, &test.compiled().at(t));
                let fast = if test.held().is_none() { by_value() } else { None };
                fast.unwrap_or_else(|| hits::by_history(self, test.name(), &at, None, t))
            }
            Leaf::Changed(change) => hits::by_history(self, change.name(), &at, leaf.anchor(), t),
            Leaf::Seen(_) => self.by_seen(&at),
            Leaf::List(list) => self.on_list(list.ids()),
            Leaf::Sample(share) => self.by_id(|id| share.contains(id)),
        }
    }

    /// Whether a leaf holds at `t` for one user of the universe, touching no other.
    pub(crate) fn leaf_of(&self, leaf: &Leaf, t: Timestamp, user: u32) -> bool {
        let (at, t) = (leaf.at(t), t.millis());
        match leaf {
            Leaf::Did(behaviour) => {
                let counted = counts::of_user(self, behaviour, &at, user);
                counted.unwrap_or_else(|| leaf.question(self, &at, t).holds_for(&at, user))
            }
            Leaf::Sequence(_) => leaf.question(self, &at, t).is_there_for(&at, user),
            Leaf::Attribute(test) if test.held().is_none() => {
                let table = self.attributes.table(test.name());
                let value = table.map_or(Cell::Missing, |table| table.value_of(user, t));
                test.compiled().at(t).passes(self.value(value))
            }
            Leaf::Attribute(test) => self.history_holds_for(test.name(), &at, None, t, user),
            Leaf::Changed(change) => self.history_holds_for(change.name(), &at, leaf.anchor(), t, user),
            Leaf::Seen(_) => self.history_holds_for("", &at, None, t, user),
            Leaf::List(list) => list.ids().iter().any(|id| self.users.find(id) == Some(user)),
            Leaf::Sample(share) => self.users.id(user).is_some_and(|id| share.contains(id)),
        }
    }

    /// Visits the measured numbers that are not 0.
    pub(super) fn measured(&self, measure: &Measure, t: Timestamp, visit: &mut dyn FnMut(u32, ExactSum)) {
        let at = measure.at(t.millis());
        self.measure_question(measure, t.millis()).numbers(&at, visit);
    }

    /// The measured number of one user.
    pub(crate) fn measured_of(&self, measure: &Measure, t: Timestamp, user: u32) -> ExactSum {
        let at = measure.at(t.millis());
        self.measure_question(measure, t.millis()).with_facts(
            user,
            |anchor| at.scope.reach_of(anchor),
            |facts| at.number(facts),
        )
    }

    fn measure_question<'a>(&'a self, measure: &'a Measure, t: i64) -> Question<'a> {
        Question {
            store: self,
            t,
            matchers: std::slice::from_ref(measure.matcher()),
            reach: measure.at(t).scope.reach(),
            wanted: [measure.of(), None],
            anchor: measure.anchor(),
        }
    }

    fn by_seen(&self, leaf: &LeafAt<'_>) -> Bits {
        let mut bits = Bits::none(self.users.numbers());
        let LeafAt::Seen(bounds) = leaf else { return bits };
        let seen = (0u32..).zip(self.users.seen().iter());
        seen.filter(|(_, at)| bounds.contains(**at)).for_each(|(user, _)| bits.insert(user));
        bits
    }

    fn on_list(&self, ids: &[String]) -> Bits {
        let mut bits = Bits::none(self.users.numbers());
        ids.iter().filter_map(|id| self.users.find(id)).for_each(|user| bits.insert(user));
        bits
    }

    fn by_id(&self, passes: impl Fn(&str) -> bool) -> Bits {
        let mut bits = Bits::none(self.users.numbers());
        let users = (0u32..).take(self.users.numbers());
        users.filter(|&user| self.users.id(user).is_some_and(&passes)).for_each(|user| bits.insert(user));
        bits
    }
}

#[cfg(test)]
mod carried_tests;
#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod tests;
