//! A cap on how often a user enters anything.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::remembered::Inside;
use super::sweep::{Sweep, is_over};
use super::{Rule, Signal};
use crate::time::{Span, Timestamp};

/// Lets a user enter at most so many segments in any span, whichever they are. What goes beyond is dropped.
///
/// An entry counts in the span after it, its own instant included and its end not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCap {
    most: u32,
    #[serde(with = "super::dwell::span")]
    per: Span,
    #[serde(default)]
    inside: Inside,
    /// The latest entries of each user that were handed on.
    #[serde(default)]
    entries: BTreeMap<String, VecDeque<Timestamp>>,
    #[serde(skip)]
    sweep: Sweep,
}

impl FrequencyCap {
    /// At most so many in such a span.
    pub fn new(most: u32, per: Span) -> Self {
        Self { most, per, inside: Inside::default(), entries: BTreeMap::new(), sweep: Sweep::default() }
    }
}

impl Rule for FrequencyCap {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let (entries, most, per) = (&mut self.entries, self.most as usize, self.per);
        self.inside.gate(signal, |entry| {
            let now = entry.at;
            let of_user = entries.entry(entry.id.clone()).or_default();
            while of_user.pop_front_if(|at| is_over(*at, per, now)).is_some() {}
            let free = of_user.len() < most;
            if free {
                of_user.push_back(now);
            }
            self.sweep.add(|| {
                entries.retain(|_, of_user| of_user.back().is_some_and(|at| !is_over(*at, per, now)));
                entries.len()
            });
            free
        })
    }

    fn forget(&mut self, id: &str) {
        self.inside.forget(id);
        self.entries.remove(id);
    }

    fn merge(&mut self, from: &str, into: &str, _at: Timestamp) -> Vec<Signal> {
        self.inside.merge(from, into);
        if let Some(theirs) = self.entries.remove(from) {
            let of_both = self.entries.entry(into.to_owned()).or_default();
            of_both.extend(theirs);
            of_both.make_contiguous().sort_unstable();
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entered, left, run};
    use super::*;
    use crate::time::minutes;

    #[test]
    fn all_segments_count_together() {
        let signals = [
            entered("a", 0),
            entered("b", 1),
            entered("c", 2),
            left("c", 3),
            left("a", 4),
            entered("d", 10),
            entered("e", 10),
        ];
        let passed = [entered("a", 0), entered("b", 1), left("a", 4), entered("d", 10)];
        assert_eq!(run(&mut FrequencyCap::new(2, minutes(10)), &signals), passed);
    }
}
