//! A minimum stay before an entry counts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Each, Inside, Rule, Signal, forget, remove, set};
use crate::live::Movement;
use crate::time::{Span, Timestamp};

/// Hands an entry on when the user has stayed for a span, at the instant at which it has; one who leaves before
/// or at that instant never entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dwell {
    #[serde(with = "span")]
    least: Span,
    inside: Inside,
    /// Entries to come, by the instant at which they count.
    waiting: BTreeSet<Signal>,
    /// That instant.
    due: Each<Timestamp>,
}

impl Dwell {
    /// A stay of such a span at least.
    pub fn new(least: Span) -> Self {
        Self { least, inside: Inside::default(), waiting: BTreeSet::new(), due: Each::default() }
    }

    /// The user of a signal no longer waits.
    fn drop_waiting(&mut self, signal: &Signal) {
        if let Some(at) = remove(&mut self.due, signal) {
            self.waiting.remove(&Signal { at, movement: Movement::Entered, ..signal.clone() });
        }
    }
}

impl Rule for Dwell {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        // One that leaves at the very instant at which it would count has not stayed.
        let mut ready = self.pass(Timestamp::from_millis(signal.at.millis().saturating_sub(1)));
        self.drop_waiting(&signal);
        if signal.is_entry() {
            let entry = Signal { at: signal.at.plus(self.least).min(Timestamp::MAX), ..signal };
            set(&mut self.due, &entry, entry.at);
            self.waiting.insert(entry);
            return ready;
        }
        if self.inside.leave(&signal) {
            ready.push(signal);
        }
        ready
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        let mut ready = Vec::new();
        while let Some(entry) = self.waiting.pop_first() {
            if entry.at > to {
                self.waiting.insert(entry);
                break;
            }
            remove(&mut self.due, &entry);
            self.inside.enter(&entry);
            ready.push(entry);
        }
        ready
    }

    fn wake(&self) -> Option<Timestamp> {
        self.waiting.first().map(|entry| entry.at)
    }

    fn forget(&mut self, id: &str) {
        self.inside.forget(id);
        self.waiting.retain(|signal| signal.id != id);
        forget(&mut self.due, id);
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
