//! Entry rules: what automations make of transitions.
//!
//! A rule takes [`Signal`]s in order of time and hands signals on: the same, fewer, or later ones. It reads no
//! clock and touches no store; the same signals make the same signals, on every machine. What it remembers is
//! plain data that serializes with serde, to be kept beside [`Saved`](crate::Saved). Instants whose span has passed are
//! let go, so that what remembers them follows what is recent.
//!
//! Rules stand in a row: what one hands on, the next takes. Those that hold signals back ([`Dwell`],
//! [`QuietHours`], [`LiveExclusion`]) are told that time has passed, and when to be told again. Two rules are a rule, the
//! second behind the first, and so three are: `(a, (b, c))`; and so is a list of them, as a configuration may name them:
//! `Vec<Box<dyn Rule>>`. A rule does the same to all segments it hears of: segments with rules of their own have a row of
//! their own, and rows may share what stands behind them.
//!
//! | | an entry | a leaving |
//! | --- | --- | --- |
//! | [`Once`], [`OncePer`], [`Reentry`], [`FrequencyCap`] | is handed on or dropped | is handed on where the entry was |
//! | [`Dwell`] | comes later, or never | is handed on where the entry was |
//! | [`QuietHours`] | comes later, and is never dropped | comes behind the entry, also where it heard of none |
//! | [`QuietHours::unless_left`] | comes later, or never | is handed on unless the entry is still held back |
//! | [`LiveExclusion`] | comes when the campaign may keep the user | comes when it no longer does |
//!
//! What is handed on at one instant comes in the order in which it was taken, but for [`LiveExclusion`], which
//! settles an instant as a whole, user by user.
//!
//! Who must not act twice keeps rules, the engine and the number of the last transition that both have seen
//! ([`Transition::sequence`]) in one transaction. A signal has no number, and no key either: of one user and
//! segment several may come at one instant, as when late facts bring it in, out and in again, or when quiet hours end.
//! The last of them says where the user is.
//!
//! Time passes for a row as it does for the engine: after the transitions of a call are taken, tell it
//! [`Live::now`](crate::Live::now), and sleep until [`Live::next_change`](crate::Live::next_change) or [`Rule::wake`],
//! whichever is earlier; the example `automations` does. Never tell a row of a later instant than the engine's: it would hand on
//! what a transition to come might have held back.
//!
//! A rule knows who is in by what it is told: the members that an engine begins with are told to it first, as signals,
//! if their leaving is to be heard of.
//!
//! A rule knows users by their ids. One who is merged into another is heard of as the engine tells it: it leaves under
//! its old id, and the other enters where it was not in; what a rule remembers of the old id stays with that. Of one who
//! is erased, [`Rule::forget`] erases it. Where a segment is replaced silently, rules hear of an entry without a leaving
//! before it: it begins anew.
//!
//! ```
//! use whodid::live::rules::{Dwell, Once, Rule, Signal};
//! use whodid::{Movement, Timestamp, hours};
//!
//! let at: Timestamp = "2026-06-15T12:00:00Z".parse()?;
//! let entered = |at| Signal::new("fading", "ada", Movement::Entered, at);
//! let (mut dwell, mut once) = (Dwell::new(hours(1)), Once::default());
//!
//! let mut ready = dwell.take(entered(at));
//! assert!(ready.is_empty() && dwell.wake() == Some(at.plus(hours(1))));
//! ready.extend(dwell.pass(at.plus(hours(2))));
//! let acted: Vec<Signal> = ready.into_iter().flat_map(|signal| once.take(signal)).collect();
//! assert_eq!(acted, [entered(at.plus(hours(1)))]);
//! assert_eq!(once.take(entered(at.plus(hours(9)))), []);
//!
//! let mut row = (Dwell::new(hours(1)), Once::default()); // the same
//! assert!(row.take(entered(at)).is_empty() && row.wake() == Some(at.plus(hours(1))));
//! assert_eq!(row.pass(at.plus(hours(2))), acted);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cap;
mod dwell;
mod once;
mod priority;
mod quiet;
mod reentry;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use cap::FrequencyCap;
pub use dwell::Dwell;
pub use once::{Once, OncePer};
pub use priority::LiveExclusion;
pub use quiet::{QuietHours, zone_of};
pub use reentry::Reentry;

use super::{Movement, Transition};
use crate::time::Timestamp;

/// A user entered or left a segment, as automations see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Signal {
    /// When.
    pub at: Timestamp,
    /// The segment.
    pub segment: String,
    /// The external id of the user.
    pub id: String,
    /// Whether it entered or left.
    pub movement: Movement,
}

impl Signal {
    /// A signal.
    pub fn new(
        segment: impl Into<String>,
        id: impl Into<String>,
        movement: Movement,
        at: impl Into<Timestamp>,
    ) -> Self {
        Self { at: at.into(), segment: segment.into(), id: id.into(), movement }
    }

    fn is_entry(&self) -> bool {
        self.movement == Movement::Entered
    }
}

impl From<&Transition> for Signal {
    fn from(transition: &Transition) -> Self {
        Self::new(&*transition.segment, &*transition.id, transition.movement, transition.at)
    }
}

/// Takes signals in order of time, and hands signals on.
pub trait Rule {
    /// Takes one, and hands on what is ready. Time has passed up to its instant.
    fn take(&mut self, signal: Signal) -> Vec<Signal>;

    /// Time has passed, and all signals up to then have been taken: hands on what was held back until then.
    fn pass(&mut self, _to: Timestamp) -> Vec<Signal> {
        Vec::new()
    }

    /// When [`Rule::pass`] is to be called next; `None`: nothing is held back.
    fn wake(&self) -> Option<Timestamp> {
        None
    }

    /// Erases all that is remembered of a user, by its id; what is held back of it is never handed on. All that is held back is
    /// looked through, of whomever it is.
    fn forget(&mut self, id: &str);
}

/// The second behind the first.
impl<A: Rule, B: Rule> Rule for (A, B) {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let passed = just_before(signal.at);
        hand_on(self.0.take(signal), &mut self.1, passed)
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        hand_on(self.0.pass(to), &mut self.1, to)
    }

    fn wake(&self) -> Option<Timestamp> {
        self.0.wake().into_iter().chain(self.1.wake()).min()
    }

    fn forget(&mut self, id: &str) {
        self.0.forget(id);
        self.1.forget(id);
    }
}

/// The rule in the box.
impl<R: Rule + ?Sized> Rule for Box<R> {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        (**self).take(signal)
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        (**self).pass(to)
    }

    fn wake(&self) -> Option<Timestamp> {
        (**self).wake()
    }

    fn forget(&mut self, id: &str) {
        (**self).forget(id);
    }
}

/// Each behind the one before it, as a configuration may name them; of none, signals are handed on as they are.
impl<R: Rule> Rule for Vec<R> {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let passed = just_before(signal.at);
        let Some((first, others)) = self.split_first_mut() else { return vec![signal] };
        let ready = first.take(signal);
        others.iter_mut().fold(ready, |ready, rule| hand_on(ready, rule, passed))
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        self.iter_mut().fold(Vec::new(), |ready, rule| hand_on(ready, rule, to))
    }

    fn wake(&self) -> Option<Timestamp> {
        self.iter().filter_map(R::wake).min()
    }

    fn forget(&mut self, id: &str) {
        self.iter_mut().for_each(|rule| rule.forget(id));
    }
}

/// Up to where time has passed when a signal comes: more may come of its instant.
fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_sub(1))
}

/// Takes out what waits up to an instant.
fn take_due<T>(waiting: &mut BTreeMap<Timestamp, T>, to: Timestamp) -> BTreeMap<Timestamp, T> {
    let later = waiting.split_off(&Timestamp::from_millis(to.millis().saturating_add(1)));
    std::mem::replace(waiting, later)
}

/// What a rule makes of signals, and of the time that has passed after them.
fn hand_on(signals: Vec<Signal>, rule: &mut impl Rule, passed: Timestamp) -> Vec<Signal> {
    let mut ready: Vec<Signal> = signals.into_iter().flat_map(|signal| rule.take(signal)).collect();
    ready.extend(rule.pass(passed));
    ready
}

/// Something of each user in each segment.
type Each<T> = BTreeMap<String, BTreeMap<String, T>>;

/// Who is in, as the rules after this one know it: those whose entry was handed on. Only they can leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Inside(BTreeMap<String, BTreeSet<String>>);

impl Inside {
    fn enter(&mut self, signal: &Signal) {
        self.0.entry(signal.segment.clone()).or_default().insert(signal.id.clone());
    }

    fn leave(&mut self, signal: &Signal) -> bool {
        let Some(inside) = self.0.get_mut(&signal.segment) else { return false };
        let was_in = inside.remove(&signal.id);
        if inside.is_empty() {
            self.0.remove(&signal.segment);
        }
        was_in
    }

    fn forget(&mut self, id: &str) {
        self.0.values_mut().for_each(|inside| _ = inside.remove(id));
        self.0.retain(|_, inside| !inside.is_empty());
    }

    /// Hands an entry on where it is admitted, and the leaving of those whose entry was.
    fn gate(&mut self, signal: Signal, admit: impl FnOnce(&Signal) -> bool) -> Vec<Signal> {
        let passes = match signal.movement {
            Movement::Entered => admit(&signal),
            Movement::Left => self.leave(&signal),
        };
        if passes && signal.is_entry() {
            self.enter(&signal);
        }
        if passes { vec![signal] } else { Vec::new() }
    }
}

fn get<'m, T>(of: &'m Each<T>, signal: &Signal) -> Option<&'m T> {
    of.get(&signal.segment)?.get(&signal.id)
}

fn set<T>(of: &mut Each<T>, signal: &Signal, value: T) {
    of.entry(signal.segment.clone()).or_default().insert(signal.id.clone(), value);
}

fn remove<T>(of: &mut Each<T>, signal: &Signal) -> Option<T> {
    let users = of.get_mut(&signal.segment)?;
    let removed = users.remove(&signal.id);
    if users.is_empty() {
        of.remove(&signal.segment);
    }
    removed
}

fn forget<T>(of: &mut Each<T>, id: &str) {
    of.values_mut().for_each(|users| _ = users.remove(id));
    of.retain(|_, users| !users.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_781_524_800_000 + minutes * 60_000)
    }

    pub(super) fn entered(segment: &str, minutes: i64) -> Signal {
        Signal::new(segment, "ada", Movement::Entered, at(minutes))
    }

    pub(super) fn left(segment: &str, minutes: i64) -> Signal {
        Signal::new(segment, "ada", Movement::Left, at(minutes))
    }

    /// What a rule makes of signals in order, with time passing up to each of them, and then far.
    pub(super) fn run(rule: &mut impl Rule, signals: &[Signal]) -> Vec<Signal> {
        let mut out = Vec::new();
        for signal in signals {
            while let Some(wake) = rule.wake().filter(|wake| *wake < signal.at) {
                out.extend(rule.pass(wake));
            }
            out.extend(rule.take(signal.clone()));
        }
        while let Some(wake) = rule.wake() {
            out.extend(rule.pass(wake));
        }
        out
    }

    #[test]
    fn the_second_of_two_rules_hears_that_time_passes_where_the_first_is_silent() {
        let mut row = (Once::default(), QuietHours::new("12:00".parse().unwrap(), "13:00".parse().unwrap()));
        assert_eq!(row.take(entered("a", -1)), [entered("a", -1)]);
        assert_eq!(row.take(entered("b", 30)), []);
        assert_eq!(row.take(entered("a", 120)), [entered("b", 60)]);
    }

    #[test]
    fn rules_are_kept_as_plain_data() {
        let mut once = Once::default();
        run(&mut once, &[entered("a", 0), left("a", 1)]);
        let text = serde_json::to_string(&once).unwrap();
        let mut again: Once = serde_json::from_str(&text).unwrap();
        assert_eq!(again, once);
        assert!(again.take(entered("a", 2)).is_empty());
        assert_eq!(again.take(entered("b", 2)), [entered("b", 2)]);
    }
}
