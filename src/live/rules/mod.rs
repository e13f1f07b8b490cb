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
//! `Vec<AnyRule>`. A rule does the same to all segments it hears of: where segments have rules of their own, a [`Rule`] of
//! yours chooses the row by the segment, and hands what comes out to what they share; the example `automations` does.
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
//! A row follows an engine: what each call changes is told to it by [`Rule::follow`], with [`Live::now`](crate::Live::now).
//! Sleep until [`Live::next_change`](crate::Live::next_change) or [`Rule::wake`], whichever is earlier. Never tell a row of a later instant than the engine's: it would hand on what a transition to come
//! might have held back.
//!
//! A rule knows who is in by what it is told: the members that an engine begins with are told to it first, as signals,
//! if their leaving is to be heard of.
//!
//! A rule knows users by their ids. Two of whom it turns out that they are one are one for rules, too ([`Rule::merge`], which
//! [`Rule::follow`] calls): what was handed on of either counts for the one they are; it was in a segment where either was, and
//! enters or leaves where that is not so any more. What a rule has handed on is not taken back from the one behind it: who must
//! not be told twice puts [`Once`], [`OncePer`] and caps behind what holds back, so that they remember what was told, and not
//! what will be. Of one who is erased, [`Rule::forget`] erases it. Where a segment is
//! replaced silently, rules hear of an entry without a leaving before it: it begins anew.
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

mod any;
mod cap;
mod dwell;
mod follow;
mod once;
mod priority;
mod quiet;
mod reentry;
mod remembered;
mod row;
mod sweep;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use any::AnyRule;
pub use cap::FrequencyCap;
pub use dwell::Dwell;
pub use once::{Once, OncePer};
pub use priority::LiveExclusion;
pub use quiet::{QuietHours, zone_of};
pub use reentry::Reentry;

use super::{Changes, Movement, Transition};
use crate::time::Timestamp;
use follow::{Heard, heard};

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

    /// Erases all that is remembered of a user, by the id by which it is known
    /// ([`Ingest::current_id`](crate::Ingest::current_id), asked before the engine erases it); what is held back of it is never
    /// handed on. All that is held back is looked through, of whomever it is.
    fn forget(&mut self, id: &str);

    /// Two users are one from an instant on, which has come as with a signal: what is remembered of the one, and what is held
    /// back, is of the other; of what can be said of one of them only, the latest, and that it is in a segment. Signals of
    /// what that changes come next. Hands on what was held back until just before.
    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal>;

    /// Takes all that a call of the engine has changed, merges included, and lets time pass up to [`Live::now`](crate::Live::now);
    /// hands on what is ready.
    ///
    /// ```
    /// use whodid::live::rules::{Once, Rule};
    /// use whodid::{Catalog, Event, Live, MemoryStore, Timestamp, did};
    ///
    /// let at: Timestamp = "2026-06-15T12:00:00Z".parse()?;
    /// let mut catalog = Catalog::new();
    /// catalog.insert("buyers", did("purchase"))?;
    /// let (mut live, mut once) = (Live::new(catalog, MemoryStore::new(), at)?, Once::default());
    ///
    /// let changes = live.record(Event::new("visitor-7", "purchase", at))?;
    /// assert_eq!(once.follow(&changes, live.now()).len(), 1); // a mail
    /// let changes = live.merge("visitor-7", "ada")?;
    /// assert_eq!(changes.len(), 2); // one left, the other entered
    /// assert_eq!(once.follow(&changes, live.now()), []); // no mail again
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn follow(&mut self, changes: &Changes, now: Timestamp) -> Vec<Signal> {
        let mut ready = Vec::new();
        for heard in heard(changes) {
            ready.extend(match heard {
                Heard::Moved(signal) => self.take(signal),
                Heard::Merged(merge) => self.merge(&merge.from, &merge.into, merge.at),
            });
        }
        ready.extend(self.pass(now));
        ready
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
