//! Entering again after leaving.

use serde::{Deserialize, Serialize};

use super::remembered::{Each, Inside, forget, get, merge};
use super::sweep::{Sweep, is_over};
use super::{Rule, Signal};
use crate::time::{Span, Timestamp};

/// Lets a user enter a segment again once it has been out of it for a span. One that comes back earlier is
/// dropped, and its next leaving counts anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reentry {
    #[serde(with = "super::dwell::span")]
    after: Span,
    #[serde(default)]
    inside: Inside,
    #[serde(default)]
    left: Each<Timestamp>,
    #[serde(skip)]
    sweep: Sweep,
}

impl Reentry {
    /// Again after such a span.
    pub fn after(after: Span) -> Self {
        Self { after, inside: Inside::default(), left: Each::default(), sweep: Sweep::default() }
    }
}

impl Rule for Reentry {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        if !signal.is_entry() {
            self.sweep.set(&mut self.left, &signal, self.after);
        }
        let (left, after) = (&self.left, self.after);
        self.inside.gate(signal, |entry| get(left, entry).is_none_or(|left| is_over(*left, after, entry.at)))
    }

    fn forget(&mut self, id: &str) {
        self.inside.forget(id);
        forget(&mut self.left, id);
    }

    fn merge(&mut self, from: &str, into: &str, _at: Timestamp) -> Vec<Signal> {
        self.inside.merge(from, into);
        merge(&mut self.left, from, into);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entered, left, run};
    use super::*;
    use crate::time::minutes;

    #[test]
    fn one_who_is_back_too_soon_does_not_count() {
        let signals = [entered("a", 0), left("a", 5), entered("a", 14), left("a", 15), entered("a", 25)];
        let passed = [entered("a", 0), left("a", 5), entered("a", 25)];
        assert_eq!(run(&mut Reentry::after(minutes(10)), &signals), passed);
    }
}
