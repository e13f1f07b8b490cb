//! What answers segments, seen from a test: it takes facts one by one, then it is asked.

use std::collections::BTreeSet;

use super::change::Change;
use crate::oracle::{Named, Oracle, Taken};
use crate::segment::Segment;
use crate::time::Timestamp;

/// Something that takes facts in and answers segments: a store with its evaluator, or the oracle.
pub trait Evaluator {
    /// Its name, for the report.
    fn name(&self) -> &'static str;

    /// Takes one fact in.
    ///
    /// # Errors
    /// Why the fact is refused; nothing of it is kept.
    fn take(&mut self, change: Change) -> Result<Taken, String>;

    /// The external ids of those who satisfy the expression.
    ///
    /// # Errors
    /// Why the expression, or one that it names, has no answer.
    fn members(
        &mut self,
        segment: &Segment,
        named: &Named,
        at: Timestamp,
    ) -> Result<BTreeSet<String>, String>;
}

impl Evaluator for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn take(&mut self, change: Change) -> Result<Taken, String> {
        let taken = match change {
            Change::Event(event) => self.record(event),
            Change::Attribute(write) => self.write(write).map(|()| Taken::New),
            Change::User { id, seen } => self.register(&id, seen).map(|()| Taken::New),
            Change::Merge { from, into } => self.merge(&from, &into).map(|()| Taken::New),
            Change::Forget { user } => {
                self.forget(&user);
                Ok(Taken::New)
            }
            Change::Retain { since, events } => {
                self.retain(since, &events);
                Ok(Taken::New)
            }
        };
        taken.map_err(|e| e.to_string())
    }

    fn members(
        &mut self,
        segment: &Segment,
        named: &Named,
        at: Timestamp,
    ) -> Result<BTreeSet<String>, String> {
        Oracle::members(self, segment, named, at).map_err(|e| e.to_string())
    }
}
