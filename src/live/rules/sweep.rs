//! What is too old to matter is let go.

use super::Signal;
use super::remembered::{Each, set};
use crate::time::{Span, Timestamp};

/// So few are never looked through.
const FEW: usize = 1 << 10;

/// When to look for what has become old: when as much has been added as was left the last time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    added: usize,
    left: usize,
}

/// Of what has been read nobody knows how old it is: it is looked through at once.
impl Default for Sweep {
    fn default() -> Self {
        Self { added: FEW, left: 0 }
    }
}

/// Rules that remember the same are the same, whenever they will look.
impl PartialEq for Sweep {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Sweep {}

impl Sweep {
    /// One more is remembered; where it is time, lets go what is old and counts what is left.
    pub(super) fn add(&mut self, let_go: impl FnOnce() -> usize) {
        self.added += 1;
        if self.added > self.left.max(FEW) {
            *self = Self { added: 0, left: let_go() };
        }
    }

    /// Remembers the instant of a signal for a span.
    pub(super) fn set(&mut self, instants: &mut Each<Timestamp>, signal: &Signal, span: Span) {
        set(instants, signal, signal.at);
        self.add(|| {
            instants.values_mut().for_each(|of| of.retain(|_, at| !is_over(*at, span, signal.at)));
            instants.retain(|_, of| !of.is_empty());
            instants.values().map(|of| of.len()).sum()
        });
    }
}

/// Whether a span that began at an instant is over.
pub(super) fn is_over(at: Timestamp, span: Span, now: Timestamp) -> bool {
    at.plus(span) <= now
}

#[cfg(test)]
mod tests {
    use super::super::tests::at;
    use super::*;
    use crate::live::Movement;
    use crate::time::minutes;

    #[test]
    fn what_is_remembered_is_what_is_not_over_and_as_much_again() {
        let (mut sweep, mut instants) = (Sweep::default(), Each::default());
        for minute in 0..100_000 {
            if minute % 1_000 == 0 {
                sweep = Sweep::default(); // read anew
            }
            let signal = Signal::new("a", format!("u{minute}"), Movement::Entered, at(minute));
            sweep.set(&mut instants, &signal, minutes(5_000));
            let of = &instants["a"];
            assert!(of.len() <= 10_001, "{}", of.len());
            let oldest = minute.saturating_sub(4_999).max(0);
            assert!((oldest..=minute).step_by(97).all(|minute| of.contains_key(&format!("u{minute}"))));
        }
    }
}
