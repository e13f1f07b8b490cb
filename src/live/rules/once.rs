//! Once ever, and once a period.

use serde::{Deserialize, Serialize};

use super::remembered::{Each, Inside, forget, get, merge, set};
use super::sweep::{Sweep, is_over};
use super::{Rule, Signal};
use crate::time::{Span, Timestamp};

/// Lets each user enter each segment once, ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Once {
    #[serde(default)]
    inside: Inside,
    #[serde(default)]
    done: Each<()>,
}

impl Rule for Once {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let done = &mut self.done;
        self.inside.gate(signal, |entry| {
            let first = get(done, entry).is_none();
            if first {
                set(done, entry, ());
            }
            first
        })
    }

    fn forget(&mut self, id: &str) {
        self.inside.forget(id);
        forget(&mut self.done, id);
    }

    fn merge(&mut self, from: &str, into: &str, _at: Timestamp) -> Vec<Signal> {
        self.inside.merge(from, into);
        merge(&mut self.done, from, into);
        Vec::new()
    }
}

/// Lets each user enter each segment once a period: again when the span has passed since the last entry that
/// was handed on. One that comes earlier is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OncePer {
    #[serde(with = "super::dwell::span")]
    period: Span,
    #[serde(default)]
    inside: Inside,
    #[serde(default)]
    last: Each<Timestamp>,
    #[serde(skip)]
    sweep: Sweep,
}

impl OncePer {
    /// Once in such a span.
    pub fn new(period: Span) -> Self {
        Self { period, inside: Inside::default(), last: Each::default(), sweep: Sweep::default() }
    }
}

impl Rule for OncePer {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let (last, period) = (&mut self.last, self.period);
        self.inside.gate(signal, |entry| {
            let due = get(last, entry).is_none_or(|last| is_over(*last, period, entry.at));
            if due {
                self.sweep.set(last, entry, period);
            }
            due
        })
    }

    fn forget(&mut self, id: &str) {
        self.inside.forget(id);
        forget(&mut self.last, id);
    }

    fn merge(&mut self, from: &str, into: &str, _at: Timestamp) -> Vec<Signal> {
        self.inside.merge(from, into);
        merge(&mut self.last, from, into);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entered, left, run};
    use super::*;
    use crate::time::minutes;

    #[test]
    fn once_is_once_for_each_segment() {
        let signals = [entered("a", 0), left("a", 1), entered("a", 2), left("a", 3), entered("b", 4)];
        assert_eq!(run(&mut Once::default(), &signals), [entered("a", 0), left("a", 1), entered("b", 4)]);
    }

    #[test]
    fn a_period_begins_with_an_entry_that_was_handed_on() {
        let signals = [
            entered("a", 0),
            left("a", 1),
            entered("a", 9),
            left("a", 10),
            entered("a", 10),
            left("a", 12),
            entered("a", 19),
        ];
        let passed = [entered("a", 0), left("a", 1), entered("a", 10), left("a", 12)];
        assert_eq!(run(&mut OncePer::new(minutes(10)), &signals), passed);
    }
}
