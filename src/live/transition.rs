//! Transitions: who entered or left which segment, when, and why.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::store::{Recorded, UserId};
use crate::time::Timestamp;

/// A user entered a segment, or left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transition {
    /// Its place among all transitions of an engine, from 1, without gaps.
    pub sequence: u64,
    /// The name of the segment.
    pub segment: Arc<str>,
    /// The external id of the user, as it was known until then.
    pub id: Arc<str>,
    /// The number of the user.
    #[serde(with = "number")]
    pub user: UserId,
    /// Whether it entered or left.
    pub movement: Movement,
    /// The instant at which membership differs from just before.
    pub at: Timestamp,
    /// Whether it was reported later than it happened, or has no instant of its own: of a fact that arrived
    /// late, of a merge, of erasure, of a changed catalog. `at` is then the instant of the engine.
    pub late: bool,
    /// What changed; many share one.
    pub cause: Arc<Cause>,
}

/// A step over a long time makes millions: none takes more than a line of the processor's cache.
const _: () = assert!(size_of::<Transition>() <= 64);

/// Into a segment, or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// The user was no member just before, and is one now.
    Entered,
    /// The user was a member just before, and is none now.
    Left,
}

/// What made a transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cause {
    /// The condition of the segment whose answer changed, in words; of several the first. `None` where none did, as the
    /// user came, or went, as a whole; and where none was looked at by itself: of
    /// [`Because::Catalog`] and [`Because::Restore`]. Where a score of measured numbers changed, it is the first number that the
    /// fact or the edge of time may have changed.
    pub condition: Option<Arc<str>>,
    /// Why it changed.
    pub because: Because,
}

/// A fact, or an edge of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Because {
    /// An event of that name.
    Event(Arc<str>),
    /// A write of that attribute.
    Attribute(Arc<str>),
    /// The user was seen for the first time, or, by a late fact, is known to have been seen earlier than before.
    FirstSeen,
    /// Time passed over a fact: in words, which facts and which edge.
    Time(Arc<str>),
    /// Two users turned out to be one.
    Merge,
    /// The user was erased.
    Forget,
    /// Old events were dropped.
    Retain,
    /// The segment was added, replaced or removed, or one that it names, or a list.
    Catalog,
    /// The store differs from the one that was saved.
    Restore,
}

/// Numbers of users in serde.
mod number {
    use super::UserId;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(user: &UserId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(user.number())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserId, D::Error> {
        u32::deserialize(deserializer).map(UserId::new)
    }
}

impl Display for Movement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entered => "entered",
            Self::Left => "left",
        })
    }
}

impl Display for Because {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(name) => write!(f, "event {name:?}"),
            Self::Attribute(name) => write!(f, "attribute {name:?}"),
            Self::FirstSeen => f.write_str("first seen"),
            Self::Time(edge) => write!(f, "time passed: {edge}"),
            Self::Merge => f.write_str("merged"),
            Self::Forget => f.write_str("forgotten"),
            Self::Retain => f.write_str("old events dropped"),
            Self::Catalog => f.write_str("catalog changed"),
            Self::Restore => f.write_str("restored"),
        }
    }
}

/// `ada entered fading at 2026-06-15T12:00:00Z (event "login")`, or `(event "login", late)`.
impl Display for Transition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { id, movement, segment, at, cause, .. } = self;
        let late = if self.late { ", late" } else { "" };
        write!(f, "{id} {movement} {segment} at {at} ({}{late})", cause.because)
    }
}

/// The transitions that a call made, and what became of the fact.
///
/// It is a slice of transitions, and iterates over them.
#[must_use = "transitions are told once"]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub(super) transitions: Vec<Transition>,
    pub(super) recorded: Option<Recorded>,
    pub(super) merges: Vec<Merge>,
}

impl Changes {
    /// What became of the fact; `None` where the call took none.
    pub fn recorded(&self) -> Option<Recorded> {
        self.recorded
    }

    /// The merges of users among the transitions, in order.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// The transitions, in order.
    pub fn into_vec(self) -> Vec<Transition> {
        self.transitions
    }

    /// Adds what came later.
    pub(super) fn add(&mut self, later: Self) {
        let before = self.transitions.len();
        self.transitions.extend(later.transitions);
        let moved = |merge: Merge| Merge {
            transitions: before + merge.transitions.start..before + merge.transitions.end,
            ..merge
        };
        self.merges.extend(later.merges.into_iter().map(moved));
    }
}

/// Two users turned out to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merge {
    /// The id by which the one was known.
    pub from: Arc<str>,
    /// The id by which both are known since.
    pub into: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// Where among the [`Changes`] the transitions are that it made.
    pub transitions: Range<usize>,
    /// The segments that the one left which the other is in, whether it entered or had been there.
    pub still_in: Vec<Arc<str>>,
}

impl std::ops::Deref for Changes {
    type Target = [Transition];

    fn deref(&self) -> &[Transition] {
        &self.transitions
    }
}

impl IntoIterator for Changes {
    type Item = Transition;
    type IntoIter = std::vec::IntoIter<Transition>;

    fn into_iter(self) -> Self::IntoIter {
        self.transitions.into_iter()
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Transition;
    type IntoIter = std::slice::Iter<'a, Transition>;

    fn into_iter(self) -> Self::IntoIter {
        self.transitions.iter()
    }
}
