//! Old events are dropped: what looks so far back is asked again, and nothing else.

use foldhash::HashSet;

use super::build::Said;
use super::fields::Field;
use super::rows::PAGE;
use super::settle::Manner;
use super::transition::{Because, Changes, Transition};
use super::{Live, LiveError, Question, in_range};
use crate::plan::{Matcher, Point};
use crate::segment::EventPattern;
use crate::store::Ingest;
use crate::time::Timestamp;

/// The events that are gone.
struct Dropped {
    names: HashSet<u32>,
    since: i64,
}

/// Measures that look so far back, and the fields of the segments that measure them.
struct Measures {
    questions: Vec<Question>,
    fields: Vec<Field>,
}

/// A user, a field of its row, and what that says now.
type Change = (u32, Field, u8);

impl Live {
    /// Drops old events, and reports what that changes at [`Live::now`]. It cannot be undone: what arrives later and is older is
    /// dropped, too. What looks back further than what is kept is asked again of everyone, and nothing else.
    ///
    /// # Errors
    /// The instant lies outside the years 1 to 9999: nothing is dropped.
    pub fn retain(
        &mut self,
        since: impl Into<Timestamp>,
        events: &[EventPattern],
    ) -> Result<Changes, LiveError> {
        let (since, mut changes) = (in_range(since.into())?, Changes::default());
        self.finish(&mut changes.transitions);
        if self.store.retain(since, events)? == 0 {
            return Ok(changes);
        }
        self.asks.forget_all();
        // What they had read may be gone, and what waited for its instant.
        self.cursors = self.cursors_now();
        self.wait_again();
        let since = since.millis();
        if self.state.marks.iter().any(|marks| marks.start() < since) {
            self.state.marks = self.counts.mark_all(self.store.reading(), self.now);
        }
        let names = self.store.reading().names_matching(events).0.into_iter().collect();
        self.ask_again(&Dropped { names, since }, &mut changes.transitions);
        Ok(changes)
    }

    /// Asks what dropped events can have decided, of everyone, and reports what is others now.
    fn ask_again(&mut self, dropped: &Dropped, out: &mut Vec<Transition>) {
        let again: Vec<Question> = self.looking_back(dropped).collect();
        let groups: HashSet<u32> = again.iter().filter_map(|leaf| self.counts.of_leaf(*leaf)).collect();
        let answers: HashSet<Question> = again.iter().copied().collect();
        let tallies = (0..).zip(&self.fields.tallies).filter(|(group, _)| !groups.contains(group));
        let leaves = (0..).zip(&self.fields.answers).filter(|(leaf, _)| !answers.contains(leaf));
        let known = tallies.map(|(_, field)| *field).chain(leaves.filter_map(|(_, answer)| answer.bit()));
        let measures: Vec<Question> =
            again.iter().copied().filter(|question| *question as usize >= self.plan.leaves().len()).collect();
        let measured: HashSet<u32> = measures
            .iter()
            .flat_map(|measure| self.routes.dependents(*measure))
            .map(|dependent| dependent.segment)
            .collect();

        let mut beyond = std::mem::take(&mut self.state.beyond)
            .carried(|group| (!groups.contains(&group)).then_some(group));
        let said = self.say(
            &known.collect::<Vec<Field>>(),
            self.measure(|segment| measured.contains(&segment)),
            &mut beyond,
        );
        self.state.beyond = beyond;
        let fields = measured.iter().filter_map(|segment| self.fields.of_segment(*segment));
        let measures = Measures { fields: fields.collect(), questions: measures };
        let mut differing = Vec::new();
        for (field, said) in &said {
            self.differing(*field, said, &mut differing);
        }
        differing.sort_by_key(|(user, ..)| *user);
        for of_user in differing.chunk_by(|a, b| a.0 == b.0) {
            self.put(of_user, &measures, out);
        }
    }

    /// The leaves and measures that look so far back.
    fn looking_back(&self, dropped: &Dropped) -> impl Iterator<Item = Question> {
        let (store, at) = (self.store.reading(), Timestamp::from_millis(self.now));
        let gone = move |matcher: &Matcher| {
            store.names_matching(matcher.events()).0.iter().any(|name| dropped.names.contains(name))
        };
        let by_anchor = move |anchor: Option<&Point>| match anchor {
            Some(Point::First(matcher) | Point::Latest(matcher)) => gone(matcher),
            _ => false,
        };
        let leaves = (0..).zip(self.plan.leaves()).filter(move |(_, leaf)| {
            let looks_back = leaf.at(at).reach().lo < dropped.since;
            by_anchor(leaf.anchor()) || (looks_back && leaf.matchers().iter().any(gone))
        });
        let first = u32::try_from(self.plan.leaves().len()).unwrap_or(u32::MAX);
        let measures = (first..).zip(self.plan.measures()).filter(move |(_, measure)| {
            let looks_back = measure.at(at.millis()).reach().lo < dropped.since;
            by_anchor(measure.anchor()) || (looks_back && gone(&measure.matcher))
        });
        leaves.map(|(question, _)| question).chain(measures.map(|(question, _)| question))
    }

    /// Finds the users of whom a field does not say what it should.
    fn differing(&self, field: Field, said: &Said, out: &mut Vec<Change>) {
        let mut said = said.iter().peekable();
        let users = self.store.reading().user_numbers();
        for first in (0..).take(users).step_by(PAGE) {
            let mut now = [0; PAGE];
            while let Some((user, value)) = said.next_if(|(user, _)| ((*user - first) as usize) < PAGE) {
                now[(user - first) as usize] = value;
            }
            let was = field.of_planes(if field.is_tally() {
                self.planes(field, first, u64::MAX)
            } else {
                let [one] = self.planes(field, first, u64::MAX);
                [one, 0, 0, 0]
            });
            let differ = (first..).zip(now.into_iter().zip(was)).filter(|(_, (now, was))| now != was);
            out.extend(differ.map(|(user, (now, _))| (user, field, now)));
        }
    }

    /// Puts what is said now into the row of a user, and reports what that changes.
    fn put(&mut self, changes: &[Change], measures: &Measures, out: &mut Vec<Transition>) {
        let Some((user, ..)) = changes.first().copied() else { return };
        let mut scratch = self.scratch.take().unwrap_or_default();
        scratch.forget();
        self.state.rows.load(user, &mut scratch.row);
        scratch.before.clone_from(&scratch.row);
        for (_, field, value) in changes.iter().copied() {
            if measures.fields.contains(&field) {
                // Compared, and written, as a whole.
                scratch.changed.extend_from_slice(&measures.questions);
                continue;
            }
            field.put(&mut scratch.row, value);
            self.state.rows.store_cell(user, field.cell, &scratch.row);
            let leaves = self.fields.leaves.get(field.cell as usize).into_iter().flatten().copied();
            let turned = leaves.filter(|leaf| {
                self.fields.holds(*leaf, &scratch.before) != self.fields.holds(*leaf, &scratch.row)
            });
            scratch.changed.extend(turned);
        }
        if self.state.universe.contains(user) && !scratch.changed.is_empty() {
            let manner = Manner { because: Some(Because::Retain), ..Manner::late(self.now) };
            self.report(user, (&[], &manner), (true, true), &mut scratch, out);
        }
        self.scratch = Some(scratch);
    }
}
