//! From one plan to another: what is kept of each user stays where it is, and what is new is written beside it.

use std::sync::Arc;

use foldhash::HashMap;
use roaring::RoaringBitmap;

use super::Live;
use super::build::{Measured, Said};
use super::counts::Counts;
use super::fields::{Field, Fields, Kept};
use crate::plan::{Leaf, Plan};

/// What was asked before.
pub(super) struct Old {
    pub(super) names: Vec<Arc<str>>,
    pub(super) plan: Plan,
    pub(super) counts: Counts,
    pub(super) fields: Fields,
}

impl Old {
    /// The fields that are asked for again; `answers`: of the segments that have changed.
    pub(super) fn kept(
        &self,
        (plan, counts): (&Plan, &Counts),
        names: &[Arc<str>],
        answers: &[Option<RoaringBitmap>],
    ) -> Kept {
        let of_group = |group| self.fields.tallies.get(self.counts.place(group)? as usize).copied();
        let places: HashMap<&Leaf, usize> = self.plan.leaves().iter().zip(0..).collect();
        let of_leaf = |leaf: &Leaf| {
            // A tally decides it, or the ids of a list may have changed under its name.
            let bit = places.get(leaf).and_then(|place| self.fields.answers.get(*place)?.bit());
            bit.filter(|_| !matches!(leaf, Leaf::List(_)))
        };
        let of_segment = |(name, answer): (&Arc<str>, &Option<RoaringBitmap>)| {
            self.measured(name).filter(|_| answer.is_none())
        };
        Kept {
            tallies: counts.groups().iter().map(of_group).collect(),
            answers: plan.leaves().iter().map(of_leaf).collect(),
            measured: names.iter().zip(answers).map(of_segment).collect(),
            bits: self.fields.bits,
            stay: false,
        }
    }

    /// Where it lay whether a user is in a segment that measures.
    fn measured(&self, name: &Arc<str>) -> Option<Field> {
        let place = self.names.iter().position(|have| have == name)?;
        self.fields.of_segment(u32::try_from(place).ok()?)
    }
}

impl Live {
    /// Brings the rows to another plan; `answers`: of the segments that have changed.
    pub(super) fn carry(&mut self, kept: &Kept, counts: &Counts, answers: &[Option<RoaringBitmap>]) {
        let places: HashMap<u32, u32> = (0..)
            .zip(self.counts.groups())
            .filter_map(|(place, group)| Some((counts.place(group)?, place)))
            .collect();
        let mut beyond = std::mem::take(&mut self.state.beyond).carried(|group| places.get(&group).copied());
        let of_measured = self.fields.measured.iter().zip(answers);
        let measured: Measured =
            of_measured.map(|(field, answer)| field.and_then(|_| answer.clone())).collect();
        let moved = kept.moved(&self.fields);
        let known: Vec<Field> = moved.iter().map(|(_, to)| *to).collect();
        let said = self.say(&known, measured, &mut beyond);
        self.state.beyond = beyond;
        let new: usize = said.iter().map(|(_, said)| said.len()).sum();
        let is_little = new <= self.store.reading().user_numbers();
        if kept.stay && is_little && self.state.rows.widen(self.fields.bits) {
            self.write_beside(&said);
        } else {
            self.lay_out(&said, &moved);
        }
        self.state.marks = self.counts.mark_all(self.store.reading(), self.now);
    }

    /// Writes fields that said 0 of everyone so far into the rows that are there.
    fn write_beside(&mut self, said: &[(Field, Said)]) {
        for (field, said) in said {
            for (user, value) in said.iter() {
                let with = |cell| field.with(cell, value);
                self.state.rows.change(user, field.cell, field.of_cell(), with);
            }
        }
    }

    /// Makes all rows anew, with what moves from one field to another.
    fn lay_out(&mut self, said: &[(Field, Said)], moved: &[(Field, Field)]) {
        let rows = std::mem::take(&mut self.state.rows);
        let mut before = Vec::new();
        self.state.rows = self.fill(said, |user, row| {
            rows.load(user, &mut before);
            for (from, to) in moved {
                let value = from.get(&before);
                if value != 0 {
                    to.put(row, value);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Announce;
    use super::*;
    use crate::catalog::Catalog;
    use crate::event::Event;
    use crate::segment::builder::{did, seen};
    use crate::store::{Ingest, MemoryStore};
    use crate::time::{Timestamp, days};

    fn live(segments: u32) -> Live {
        let at: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        let (mut store, mut catalog) = (MemoryStore::new(), Catalog::new());
        for user in 0..300 {
            for day in 0..user % 20 {
                store.record(Event::new(format!("u{user}"), "login", at.minus(days(day)))).unwrap();
            }
        }
        for day in 1..=segments {
            catalog.insert(format!("s{day}"), did("login").at_least(2).last(days(day))).unwrap();
            catalog.insert(format!("n{day}"), seen().last(days(day))).unwrap();
        }
        Live::new(catalog, store, at).unwrap()
    }

    #[test]
    fn what_stays_in_the_catalog_stays_where_it_is_and_room_is_used_again() {
        for segments in [3, 60] {
            let mut live = live(segments);
            let (tallies, tight) = (live.fields.tallies.clone(), live.fields.bits);
            for day in 1..100 {
                let new = || did("login").at_least(3).last(days(1_000 + day));
                _ = live.insert("new", new(), Announce::Silently).unwrap();
                let stay = tallies.iter().all(|field| live.fields.tallies.contains(field));
                assert!(stay || day > 1);
                assert!(
                    live.fields.bits <= (tight + 8) * 5 / 4 + 32,
                    "{} bits for {tight}",
                    live.fields.bits
                );
                let expected = live.snapshot();
                let expected = crate::Evaluate::members(&expected, &new(), live.now()).unwrap();
                assert_eq!(live.read_off(live.place("new").unwrap()), *expected.bitmap());
                _ = live.remove("new", Announce::Silently).unwrap();
            }
        }
    }
}
