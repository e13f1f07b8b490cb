//! Conformance cases: plain JSON files that pin the meaning of segments to the last user.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::change::{CaseError, Change};
use crate::segment::Segment;
use crate::time::Timestamp;

/// One case: facts in order of arrival, and what must then be true.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// Each fact, or why its text is none (which is a refusal).
    pub facts: Vec<Result<Change, CaseError>>,
    /// Exactly these facts are refused.
    pub refused: BTreeSet<usize>,
    /// The named segments, or why the text is none (an error where it is asked for).
    pub segments: BTreeMap<String, Result<Segment, CaseError>>,
    /// The static lists.
    pub lists: BTreeMap<String, BTreeSet<String>>,
    /// What is asked once all facts are in.
    pub checks: Vec<Check>,
}

/// A question, and its answer.
#[derive(Clone, Debug)]
pub struct Check {
    /// The instant of evaluation.
    pub at: Timestamp,
    /// The expression as it was written.
    pub text: String,
    /// The expression, or why its text is none.
    pub segment: Result<Segment, CaseError>,
    /// The answer.
    pub expected: Expected,
    /// What a live engine must report on its way there.
    pub transitions: Option<Transitions>,
}

/// What an evaluator must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Exactly these users.
    Members(BTreeSet<String>),
    /// An error: in building, reading or evaluating.
    Error,
}

/// Who entered and who left, and at which instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transitions {
    /// Facts up to this instant are taken in before.
    pub from: Timestamp,
    /// User and instant.
    pub entered: BTreeSet<(String, Timestamp)>,
    /// User and instant.
    pub left: BTreeSet<(String, Timestamp)>,
}

/// Reads a file of cases.
///
/// # Errors
/// A text that is no array of cases. A fact, a segment or a named segment that cannot be read is no error here:
/// that it cannot may be what the case pins.
pub fn read_cases(text: &str) -> Result<Vec<Case>, CaseError> {
    let raw: Vec<RawCase<'_>> = serde_json::from_str(text).map_err(|e| CaseError(e.to_string()))?;
    raw.into_iter().map(Case::read).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase<'t> {
    id: String,
    #[serde(default, rename = "about")]
    _about: Option<String>,
    #[serde(borrow)]
    facts: Vec<&'t RawValue>,
    #[serde(default)]
    refused: BTreeSet<usize>,
    #[serde(default, borrow)]
    segments: BTreeMap<String, &'t RawValue>,
    #[serde(default)]
    lists: BTreeMap<String, BTreeSet<String>>,
    #[serde(borrow)]
    checks: Vec<RawCheck<'t>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck<'t> {
    at: String,
    #[serde(borrow)]
    segment: &'t RawValue,
    members: Option<BTreeSet<String>>,
    #[serde(default)]
    error: bool,
    transitions: Option<RawTransitions>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTransitions {
    from: String,
    entered: Vec<(String, String)>,
    left: Vec<(String, String)>,
}

impl Case {
    fn read(raw: RawCase<'_>) -> Result<Self, CaseError> {
        let id = raw.id;
        let checks = raw.checks.into_iter().enumerate().map(|(i, check)| {
            read_check(check).map_err(|e| CaseError(format!("case {id:?}, check {i}: {e}")))
        });
        let checks = checks.collect::<Result<_, _>>()?;
        if let Some(index) = raw.refused.iter().find(|index| **index >= raw.facts.len()) {
            return Err(CaseError(format!("case {id:?}: there is no fact {index} to refuse")));
        }
        Ok(Self {
            id,
            facts: raw.facts.iter().map(|fact| Change::from_json(fact.get())).collect(),
            refused: raw.refused,
            segments: raw.segments.into_iter().map(|(name, e)| (name, read_segment(e.get()))).collect(),
            lists: raw.lists,
            checks,
        })
    }
}

fn read_segment(text: &str) -> Result<Segment, CaseError> {
    Segment::from_json(text).map_err(|e| CaseError(e.to_string()))
}

fn read_check(raw: RawCheck<'_>) -> Result<Check, CaseError> {
    let expected = match (raw.members, raw.error) {
        (Some(members), false) => Expected::Members(members),
        (None, true) => Expected::Error,
        _ => return Err(CaseError("expected either members or an error".to_owned())),
    };
    let transitions = raw.transitions.map(|t| {
        let from = read_instant(&t.from)?;
        let (entered, left) = (read_pairs(t.entered)?, read_pairs(t.left)?);
        Ok(Transitions { from, entered, left })
    });
    Ok(Check {
        at: read_instant(&raw.at)?,
        text: raw.segment.get().to_owned(),
        segment: read_segment(raw.segment.get()),
        expected,
        transitions: transitions.transpose()?,
    })
}

fn read_pairs(pairs: Vec<(String, String)>) -> Result<BTreeSet<(String, Timestamp)>, CaseError> {
    pairs.into_iter().map(|(user, at)| Ok((user, read_instant(&at)?))).collect()
}

fn read_instant(text: &str) -> Result<Timestamp, CaseError> {
    text.parse().map_err(|e: crate::TimeError| CaseError(e.to_string()))
}
