//! The reference oracle: the page of semantics in code, slow and obvious, one user at a time.
//!
//! It reads like the page, a file a heading, and shares no evaluation code with the engine: it has its own
//! calendars, its own value tests, its own exact arithmetic (rational numbers), its own way through sequences
//! and references. What it takes from the crate are the written forms of facts and segments, and
//! [`Segment::validate`] for what is wrong with an expression by itself.
//!
//! # Where the page is quiet
//! Read here as follows; `tests/cases/readings.json` and `retention.json` hold a case for each.
//! - A date that a zone skips is a day without instants: units count it, and it is one of the days of an
//!   anniversary that lie on either side of it.
//! - Where a clock is set back over midnight the day that had begun goes on; an anniversary goes by what the
//!   clock on the wall says.
//! - Removing an attribute that was not there is a fact of the user, and no change. An empty list is a value,
//!   equal to itself.
//! - An attribute that is a list is no anchor, even of one instant.
//! - A group of `same` is measured for itself: one whose events hold no number sums up to 0.
//! - An id is looked up before an event is held against the horizon; one that is dropped there uses no id. The
//!   ids of a forgotten user's events stay used until a horizon passes them.
//! - Merging makes no user: an id without facts is a name, and the one it is merged into may be no more.
//! - What is wrong with a named segment is an error of those that name it, and of no others.
//!
//! ```
//! use whodid::oracle::{Named, Oracle};
//! use whodid::Timestamp;
//! use whodid::segment::Segment;
//!
//! let at: Timestamp = "2026-06-15T12:00:00Z".parse()?;
//! let mut oracle = Oracle::new();
//! oracle.register("ada", at)?;
//! let everyone = oracle.members(&Segment::All(vec![]), &Named::default(), at)?;
//! assert!(everyone.contains("ada"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod did;
mod erasure;
mod expressions;
mod facts;
mod limits;
mod sequence;
mod values;
mod windows;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use num_rational::BigRational;
use regex::Regex;

pub use erasure::Retained;
pub use facts::{FactError, Taken};

use crate::segment::{Measured, Segment};
use crate::time::Timestamp;
use facts::Fact;

/// All facts, in order of arrival, and what the page says of them.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// In order of arrival, each under the user it belongs to now.
    facts: Vec<Fact>,
    /// When a user was seen: one entry a fact, kept when the fact itself is dropped by age.
    sightings: Vec<(String, Timestamp)>,
    /// The ids of events that must not come again, each with the name and the instant of its event.
    used_ids: BTreeMap<String, (String, Timestamp)>,
    /// A merged id, and the id it was merged into.
    merged: BTreeMap<String, String>,
    /// What was dropped by age, and what meets the same horizon when it arrives.
    retained: Vec<Retained>,
    /// Events that arrived behind a horizon.
    behind_horizon: u64,
}

/// The named segments and static lists that an expression may refer to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// Expressions by name.
    pub segments: BTreeMap<String, Segment>,
    /// External ids by name.
    pub lists: BTreeMap<String, BTreeSet<String>>,
}

/// Why an expression has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The instant of evaluation lies outside the years 1 to 9999.
    #[error("{0} lies outside the years 1 to 9999")]
    OutOfRange(Timestamp),
    /// An expression is wrong by itself.
    #[error("{0}")]
    Invalid(String),
    /// No segment has this name.
    #[error("there is no segment {0:?}")]
    UnknownSegment(String),
    /// No list has this name.
    #[error("there is no list {0:?}")]
    UnknownList(String),
    /// A segment refers to itself, perhaps through others.
    #[error("the segment {0:?} refers to itself")]
    Cycle(String),
    /// The expression is too deep, counting through the segments it names.
    #[error("the expression is {0} deep, counting through the segments it names; at most 64 is allowed")]
    TooDeep(usize),
}

/// # Evaluation at an instant
impl Oracle {
    /// An oracle that knows no facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The users first seen at or before `at` and not forgotten.
    ///
    /// # Errors
    /// An instant outside the years 1 to 9999.
    pub fn universe(&self, at: Timestamp) -> Result<BTreeSet<String>, OracleError> {
        self.members(&Segment::All(Vec::new()), &Named::default(), at)
    }

    /// The users of the universe that satisfy the expression at an instant.
    ///
    /// # Errors
    /// An instant outside the years 1 to 9999; an expression, or one that it names, that is wrong anywhere.
    pub fn members(
        &self,
        segment: &Segment,
        named: &Named,
        at: Timestamp,
    ) -> Result<BTreeSet<String>, OracleError> {
        let asked = self.ask(segment, named, at)?;
        let people = self.people(at);
        Ok(people.iter().filter(|p| asked.holds(segment, p)).map(|p| p.id.to_owned()).collect())
    }

    /// A measured number of every user of the universe, exactly; 0 where nothing matches or the user has no
    /// anchor.
    ///
    /// # Errors
    /// As for [`Self::members`].
    pub fn measure(
        &self,
        measured: &Measured,
        at: Timestamp,
    ) -> Result<BTreeMap<String, BigRational>, OracleError> {
        let named = Named::default();
        let asked = self.ask(&expressions::score_of(measured), &named, at)?;
        let people = self.people(at);
        Ok(people.iter().map(|p| (p.id.to_owned(), asked.measured(measured, p))).collect())
    }

    /// Checks the whole expression, with the segments it names, before any of it is evaluated.
    fn ask<'a>(
        &'a self,
        segment: &Segment,
        named: &'a Named,
        at: Timestamp,
    ) -> Result<Asked<'a>, OracleError> {
        if !at.in_range() {
            return Err(OracleError::OutOfRange(at));
        }
        limits::check(segment, named)?;
        Ok(Asked { oracle: self, named, at: at.millis(), memory: Memory::default() })
    }
}

/// A question: everything relative in an expression is relative to its instant.
struct Asked<'a> {
    oracle: &'a Oracle,
    named: &'a Named,
    /// `T`, in milliseconds.
    at: i64,
    memory: Memory,
}

/// What need not be worked out twice.
#[derive(Default)]
struct Memory {
    /// Whether a user (by id) is in a named segment.
    answers: RefCell<HashMap<(String, String), bool>>,
    /// Patterns compiled, with or without regard to case.
    patterns: RefCell<HashMap<(String, bool), Option<Regex>>>,
}
