//! A scenario: facts, names, and questions, as random tests make them up and as conformance cases write them
//! down.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Evaluator;
use super::change::Change;
use super::expressions::segments;
use super::facts::facts;
use super::pools::{LISTS, SEGMENTS, USERS, instants_of_evaluation, names};
use crate::json::Json;
use crate::oracle::{Named, Oracle};
use crate::segment::Segment;
use crate::time::Timestamp;

/// Facts in order of arrival, segments and lists by name, and what is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// In order of arrival.
    pub facts: Vec<Change>,
    /// What expressions may refer to.
    pub named: Named,
    /// What is asked, and as of when.
    pub checks: Vec<(Timestamp, Segment)>,
}

/// Random scenarios: few users, names, values and instants, so that edges meet; expressions over every form.
pub fn scenarios() -> BoxedStrategy<Scenario> {
    (facts(), named(), checks()).prop_map(|(facts, named, checks)| Scenario { facts, named, checks }).boxed()
}

/// Questions that refer to what [`named`] names.
pub fn checks() -> impl Strategy<Value = Vec<(Timestamp, Segment)>> {
    prop::collection::vec((instants_of_evaluation(), segments(&SEGMENTS)), 1..5)
}

/// Four segments, each of which may refer to those before it, and two lists.
pub fn named() -> BoxedStrategy<Named> {
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| segments(SEGMENTS.get(..i).unwrap_or_default()));
    let ids = prop_oneof![8 => names(&USERS), 1 => Just("stranger".to_owned())];
    let list = || prop::collection::btree_set(ids.clone(), 0..4);
    ((a, b, c, d), (list(), list()))
        .prop_map(|((a, b, c, d), (vip, staff))| Named {
            segments: SEGMENTS.iter().map(ToString::to_string).zip([a, b, c, d]).collect(),
            lists: LISTS.iter().map(ToString::to_string).zip([vip, staff]).collect(),
        })
        .boxed()
}

impl Scenario {
    /// The scenario as a conformance case, a line a fact, with the answers of the oracle.
    pub fn to_case(&self, id: &str, about: &str) -> String {
        let mut oracle = Oracle::new();
        let taken = self.facts.iter().map(|fact| oracle.take(fact.clone()));
        let refused: Vec<String> =
            taken.enumerate().filter(|(_, t)| t.is_err()).map(|(i, _)| i.to_string()).collect();
        let check = |(at, segment): &(Timestamp, Segment)| {
            let answer = match oracle.members(segment, &self.named, *at) {
                Ok(members) => format!(r#""members": {}"#, texts(&members)),
                Err(_) => r#""error": true"#.to_owned(),
            };
            format!(r#"{{"at": "{at}", "segment": {}, {answer}}}"#, segment.to_json())
        };
        let segments = self.named.segments.iter().map(|(name, e)| format!("{}: {}", text(name), e.to_json()));
        let lists = self.named.lists.iter().map(|(name, ids)| format!("{}: {}", text(name), texts(ids)));
        let mut parts = vec![
            format!(r#""id": {}, "about": {}"#, text(id), text(about)),
            format!("\"segments\": {{{}}}", lines(segments)),
            format!("\"lists\": {{{}}}", lines(lists)),
            format!("\"facts\": [{}]", lines(self.facts.iter().map(Change::to_json))),
            format!("\"checks\": [{}]", lines(self.checks.iter().map(check))),
        ];
        if !refused.is_empty() {
            parts.insert(1, format!("\"refused\": [{}]", refused.join(", ")));
        }
        format!("{{{}}}", parts.join(",\n  "))
    }
}

fn text(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}

fn texts(of: &BTreeSet<String>) -> String {
    format!("[{}]", of.iter().map(|id| text(id)).collect::<Vec<_>>().join(", "))
}

fn lines(of: impl Iterator<Item = String>) -> String {
    of.map(|line| format!("\n    {line}")).collect::<Vec<_>>().join(",")
}
