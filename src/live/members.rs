//! Who is in the segments, read off what is kept of each user: by 64 users, word by word.

use std::sync::Arc;

use foldhash::HashMap;
use roaring::RoaringBitmap;

use super::algebra::Program;
use super::fields::Field;
use super::transition::{Movement, Transition};
use super::{Live, Question};
use crate::time::Timestamp;

/// Users of a word.
const WORD: u32 = 64;

impl Live {
    /// The members of a segment at [`Live::now`], as a bitmap of the caller's own; `None` where there is no such segment.
    ///
    /// Nothing is evaluated. The first time they are read off what is kept of each user, some milliseconds for a million. The
    /// bitmap is kept then and follows what changes, so that whoever asks again copies it: some microseconds. It is let go
    /// when nobody has asked for so long that following has cost as much as reading it off anew, or when others need the room:
    /// all that are kept take 8 MiB, or are a single one.
    pub fn members(&self, segment: &str) -> Option<RoaringBitmap> {
        let place = self.place(segment)?;
        let users = self.store.reading().user_numbers();
        let mut members = self.bitmaps.get(place, users).unwrap_or_else(|| {
            let members = self.read_off(place);
            self.bitmaps.keep(place, members.clone(), users);
            members
        });
        let name = self.names.get(place as usize);
        let withheld = self.spread.withheld().iter().filter(|withheld| Some(&withheld.segment) == name);
        withheld.for_each(|withheld| take_back(&mut members, withheld));
        Some(members)
    }

    /// How many members a segment has at [`Live::now`], which is known at any time; `None` where there is no such
    /// segment.
    pub fn count(&self, segment: &str) -> Option<u64> {
        let members = self.state.members.get(self.place(segment)? as usize).copied()?;
        Some(members.saturating_add_signed(-self.spread.more(segment)))
    }

    /// Whether a user, by any of its external ids, is in a segment at [`Live::now`]; `None` where there is no such segment.
    pub fn is_member(&self, user: &str, segment: &str) -> Option<bool> {
        let place = self.place(segment)?;
        let user = self.store.reading().number_of(user);
        Some(user.is_some_and(|user| self.is_in(user, place)))
    }

    /// The names of the segments that a user, by any of its external ids, is in at [`Live::now`], in the order of the catalog; of
    /// an unknown one there are none. Nothing is evaluated.
    pub fn segments_of(&self, user: &str) -> Vec<Arc<str>> {
        let Some(user) = self.store.reading().number_of(user) else { return Vec::new() };
        let (is_there, row) = self.row_of(user);
        let is_in = |(place, _): &(u32, &Arc<str>)| is_there && self.holds_in(*place, user, &row);
        (0..).zip(&self.names).filter(is_in).map(|(_, name)| Arc::clone(name)).collect()
    }

    /// Why a user is in a segment or out of it at [`Live::now`]: each condition of the segment, in words, and
    /// whether it holds. Measured numbers of a score are no conditions. `None` where there is no such segment.
    pub fn why(&self, user: &str, segment: &str) -> Option<Vec<(Arc<str>, bool)>> {
        let place = self.place(segment)?;
        let user = self.store.reading().number_of(user);
        let row = user.map(|user| self.row_of(user).1);
        let holds = |leaf| row.as_ref().is_some_and(|row| self.fields.holds(leaf, row));
        let leaves = (0..).take(self.plan.leaves().len());
        let of_segment = leaves.filter(|leaf| self.routes.concerns(*leaf, place));
        Some(of_segment.filter_map(|leaf| Some((self.routes.words(leaf)?, holds(leaf)))).collect())
    }

    pub(super) fn place(&self, segment: &str) -> Option<u32> {
        u32::try_from(self.catalog.place(segment)?).ok()
    }

    /// The members of a segment, what is withheld included: a few cells of each user are looked at.
    pub(super) fn read_off(&self, segment: u32) -> RoaringBitmap {
        let Some(program) = self.programs.get(segment as usize) else { return RoaringBitmap::new() };
        let words = self.state.universe.words().zip((0..).step_by(WORD as usize)).map(|(there, first)| {
            let answers = |leaf, among| self.word_of(leaf, first, among);
            let who = || self.who((segment, program), first, answers);
            if there == 0 { 0 } else { there & who() }
        });
        bitmap(words)
    }

    /// The members of every segment.
    pub(super) fn members_of_all(&self) -> Vec<RoaringBitmap> {
        let mut members: Vec<Vec<u64>> = vec![Vec::new(); self.programs.len()];
        self.each_word(&mut |segment, word| members[segment].push(word));
        let mut members: Vec<RoaringBitmap> =
            members.into_iter().map(|words| bitmap(words.into_iter())).collect();
        if !self.spread.withheld().is_empty() {
            let places: HashMap<&Arc<str>, usize> = self.names.iter().zip(0..).collect();
            for withheld in self.spread.withheld() {
                let members = places.get(&withheld.segment).and_then(|place| members.get_mut(*place));
                members.into_iter().for_each(|members| take_back(members, withheld));
            }
        }
        members
    }

    /// The members of every segment by 64 users, in one pass over everything that is kept.
    pub(super) fn each_word(&self, visit: &mut dyn FnMut(usize, u64)) {
        let fields = &self.fields;
        let of_none: Vec<u64> = fields.answers.iter().map(|answer| all_or_none(answer.holds_in(0))).collect();
        let (mut answers, mut row) = (Vec::new(), Vec::new());
        for (there, first) in self.state.universe.words().zip((0..).step_by(WORD as usize)) {
            answers.clone_from(&of_none);
            for user in (0..WORD).filter(|user| there >> user & 1 == 1) {
                self.state.rows.load(first + user, &mut row);
                for (cell, leaves) in row.iter().zip(&fields.leaves).filter(|(cell, _)| **cell != 0) {
                    for leaf in leaves {
                        let holds = fields.answers[*leaf as usize].holds_in(*cell);
                        let word = &mut answers[*leaf as usize];
                        *word = *word & !(1 << user) | u64::from(holds) << user;
                    }
                }
            }
            for (segment, program) in (0..).zip(&self.programs) {
                visit(
                    segment as usize,
                    there & self.who((segment, program), first, |leaf, _| answers[leaf as usize]),
                );
            }
        }
    }

    fn who(
        &self,
        (segment, program): (u32, &Program),
        first: u32,
        answers: impl Fn(Question, u64) -> u64,
    ) -> u64 {
        let kept = || {
            let [word] =
                self.fields.of_segment(segment).map_or([0], |field| self.planes(field, first, u64::MAX));
            word
        };
        program.who(&self.plan, answers).unwrap_or_else(kept)
    }

    /// For which of some of 64 users a leaf holds.
    fn word_of(&self, leaf: Question, first: u32, among: u64) -> u64 {
        let answer = self.fields.answers.get(leaf as usize).copied();
        answer.map_or(0, |answer| match answer.bit() {
            Some(field) => self.planes::<1>(field, first, among)[0],
            None => answer.holds_among(self.planes(answer.field(), first, among)),
        })
    }

    /// The bits of a field, for some of 64 users.
    pub(super) fn planes<const N: usize>(&self, field: Field, first: u32, among: u64) -> [u64; N] {
        self.state.rows.planes(first, field.place(), among)
    }

    /// Whether a user is in a segment.
    pub(super) fn is_in(&self, user: u32, segment: u32) -> bool {
        let (is_there, row) = self.row_of(user);
        is_there && self.holds_in(segment, user, &row)
    }

    /// Whether a user is there, and its row: as they were, where it is settled for an instant that is under way.
    pub(super) fn row_of(&self, user: u32) -> (bool, Vec<u32>) {
        self.spread.before(user, self.fields.cells()).unwrap_or_else(|| {
            let mut row = Vec::new();
            self.state.rows.load(user, &mut row);
            (self.state.universe.contains(user), row)
        })
    }

    /// Whether a row says that its user is in a segment.
    fn holds_in(&self, segment: u32, user: u32, row: &[u32]) -> bool {
        let Some(program) = self.programs.get(segment as usize) else { return false };
        let now = Timestamp::from_millis(self.now);
        let mut measured =
            |measure: usize| self.store.reading().measured_of(&self.plan.measures()[measure], now, user);
        let holds = || program.holds(&self.plan, &self.fields, row, &mut measured);
        self.fields.of_segment(segment).map_or_else(holds, |field| field.get(row) == 1)
    }
}

/// Members as they were before one entered or left.
fn take_back(members: &mut RoaringBitmap, transition: &Transition) {
    let user = transition.user.0;
    match transition.movement {
        Movement::Entered => members.remove(user),
        Movement::Left => members.insert(user),
    };
}

fn all_or_none(all: bool) -> u64 {
    if all { u64::MAX } else { 0 }
}

fn bitmap(words: impl Iterator<Item = u64>) -> RoaringBitmap {
    let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    RoaringBitmap::from_lsb0_bytes(0, &bytes)
}
