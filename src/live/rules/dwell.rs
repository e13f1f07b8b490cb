//! A minimum stay before an entry counts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use super::remembered::{Each, Inside, forget, remove, set};
use super::{Rule, Signal, just_before, take_due};
use crate::time::{Span, Timestamp};

/// Hands an entry on when the user has stayed for a span, at the instant at which it has; one who leaves before
/// or at that instant never entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dwell {
    #[serde(with = "span")]
    least: Span,
    #[serde(default)]
    inside: Inside,
    /// Entries to come, by the instant at which they count, in the order in which they came.
    #[serde(default)]
    waiting: BTreeMap<Timestamp, BTreeMap<u64, Signal>>,
    /// Where each user waits.
    #[serde(default)]
    due: Each<(Timestamp, u64)>,
}

impl Dwell {
    /// A stay of such a span at least.
    pub fn new(least: Span) -> Self {
        Self { least, inside: Inside::default(), waiting: BTreeMap::new(), due: Each::default() }
    }

    /// The user of a signal no longer waits.
    fn drop_waiting(&mut self, signal: &Signal) {
        if let Some(place) = remove(&mut self.due, signal) {
            self.drop_at(place);
        }
    }

    /// Nobody waits at a place any more.
    fn drop_at(&mut self, (at, place): (Timestamp, u64)) {
        if let Entry::Occupied(mut of_instant) = self.waiting.entry(at) {
            of_instant.get_mut().remove(&place);
            if of_instant.get().is_empty() {
                of_instant.remove();
            }
        }
    }
}

impl Rule for Dwell {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        // One that leaves at the very instant at which it would count has not stayed.
        let mut ready = self.pass(just_before(signal.at));
        self.drop_waiting(&signal);
        if signal.is_entry() {
            let entry = Signal { at: signal.at.plus(self.least).min(Timestamp::MAX), ..signal };
            let of_instant = self.waiting.entry(entry.at).or_default();
            let place = of_instant.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
            set(&mut self.due, &entry, (entry.at, place));
            of_instant.insert(place, entry);
            return ready;
        }
        if self.inside.leave(&signal) {
            ready.push(signal);
        }
        ready
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        let ready = take_due(&mut self.waiting, to).into_values();
        let ready: Vec<Signal> = ready.flat_map(BTreeMap::into_values).collect();
        for entry in &ready {
            remove(&mut self.due, entry);
            self.inside.enter(entry);
        }
        ready
    }

    fn wake(&self) -> Option<Timestamp> {
        self.waiting.keys().next().copied()
    }

    fn forget(&mut self, id: &str) {
        self.inside.forget(id);
        forget(&mut self.due, id);
        for (at, of_instant) in &mut self.waiting {
            let others = std::mem::take(of_instant).into_values().filter(|signal| signal.id != id);
            *of_instant = (0..).zip(others).collect();
            of_instant.iter().for_each(|(place, signal)| set(&mut self.due, signal, (*at, *place)));
        }
        self.waiting.retain(|_, of_instant| !of_instant.is_empty());
    }

    /// Of two that wait, the first has stayed longer.
    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        let ready = self.pass(just_before(at));
        self.inside.merge(from, into);
        for (segment, users) in std::mem::take(&mut self.due) {
            let mut users = users;
            let mut places: Vec<_> = [from, into].into_iter().filter_map(|id| users.remove(id)).collect();
            places.sort_unstable();
            let waits = usize::from(!self.inside.holds(&segment, into)).min(places.len());
            places.drain(waits..).for_each(|place| self.drop_at(place));
            if let Some((at, place)) = places.pop() {
                users.insert(into.to_owned(), (at, place));
                let signal = self.waiting.get_mut(&at).and_then(|of_instant| of_instant.get_mut(&place));
                signal.into_iter().for_each(|signal| into.clone_into(&mut signal.id));
            }
            if !users.is_empty() {
                self.due.insert(segment, users);
            }
        }
        ready
    }
}

/// Spans in serde, as the law writes them; also such as it has no use for.
pub(super) mod span {
    use super::Span;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(span)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::of_any_length(&text).ok_or_else(|| D::Error::custom(format_args!("{text:?} is not a span")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, entered, left};
    use super::*;
    use crate::time::minutes;

    #[test]
    fn only_those_who_stay_have_entered() {
        let mut dwell = Dwell::new(minutes(10));
        assert_eq!(dwell.take(entered("a", 0)), []);
        assert_eq!(dwell.wake(), Some(at(10)));
        assert_eq!(dwell.take(left("a", 10)), []);
        assert_eq!((dwell.take(entered("a", 20)), dwell.wake()), (vec![], Some(at(30))));
        assert_eq!(dwell.pass(at(29)), []);
        assert_eq!(dwell.pass(at(31)), [entered("a", 30)]);
        assert_eq!((dwell.take(left("a", 40)), dwell.wake()), (vec![left("a", 40)], None));
    }

    /// A cap behind it keeps what came first.
    #[test]
    fn what_counts_at_one_instant_is_told_as_it_came() {
        let mut dwell = Dwell::new(minutes(10));
        for segment in ["trial_ends", "birthday", "always", "birthday"] {
            assert_eq!(dwell.take(entered(segment, 0)), []);
        }
        assert_eq!(dwell.take(left("always", 1)), []);
        assert_eq!(dwell.pass(at(10)), [entered("trial_ends", 10), entered("birthday", 10)]);
        assert_eq!(dwell.wake(), None);
    }

    #[test]
    fn one_who_enters_again_begins_anew() {
        let mut dwell = Dwell::new(minutes(10));
        let signals = [entered("a", 0), entered("a", 5), left("a", 12), entered("a", 20), entered("a", 25)];
        let ready: Vec<Signal> = signals.into_iter().flat_map(|signal| dwell.take(signal)).collect();
        assert_eq!((ready, dwell.pass(at(90)), dwell.wake()), (vec![], vec![entered("a", 35)], None));
    }

    #[test]
    fn what_is_ready_comes_before_what_is_new() {
        let mut dwell = Dwell::new(minutes(10));
        dwell.take(entered("a", 0));
        assert_eq!(dwell.take(left("a", 11)), [entered("a", 10), left("a", 11)]);
    }
}
