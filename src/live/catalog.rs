//! Segments and lists that come, change and go while the engine runs.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use roaring::RoaringBitmap;

use super::build::Measured;
use super::counts::Counts;
use super::fields::{Field, Fields, Kept};
use super::settle::Manner;
use super::transition::{Because, Cause, Changes};
use super::{Live, LiveError};
use crate::catalog::Catalog;
use crate::json::Path;
use crate::plan::{Leaf, Plan, PlanError};
use crate::segment::{Segment, outline};
use crate::store::{Among, EventStore};
use crate::time::Timestamp;

/// Whether a changed catalog makes transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Announce {
    /// Whoever is in a segment afterwards and was not before entered it, and the other way round: all members
    /// of a new segment enter it, all of one that is removed leave it.
    Transitions,
    /// Membership changes without a word. The call may answer transitions all the same: those of an instant that was complete
    /// before, and still being settled ([`Live::settle_at_most`]).
    Silently,
}

impl Live {
    /// Adds a segment, or puts it in place of the one of that name. Others that name it change with it. They are evaluated, and
    /// what is new is written beside what is kept of each user: of a million users that takes 0.04 to 0.1 s. After many changes,
    /// or for many segments at once ([`Live::edit`]), all of it is laid out anew, which takes a second with a thousand segments.
    ///
    /// # Errors
    /// The name or the segment is not valid, or it names what there is not. The catalog stays as it was.
    pub fn insert(
        &mut self,
        name: impl Into<String>,
        segment: impl Into<Segment>,
        announce: Announce,
    ) -> Result<Changes, LiveError> {
        self.edit(announce, |catalog| catalog.insert(name, segment).map(drop))
    }

    /// Takes a segment out; without it nothing changes.
    ///
    /// # Errors
    /// Another segment names it: [`LiveError::InUse`]. The catalog stays as it was.
    pub fn remove(&mut self, name: &str, announce: Announce) -> Result<Changes, LiveError> {
        self.edit(announce, |catalog| {
            catalog.remove(name);
            Ok(())
        })
    }

    /// Adds a static list, or puts it in place of the one of that name.
    ///
    /// # Errors
    /// The name or an id is not valid. The catalog stays as it was.
    pub fn insert_list(
        &mut self,
        name: impl Into<String>,
        ids: impl IntoIterator<Item = impl Into<String>>,
        announce: Announce,
    ) -> Result<Changes, LiveError> {
        self.edit(announce, |catalog| catalog.insert_list(name, ids))
    }

    /// Takes a static list out; without it nothing changes.
    ///
    /// # Errors
    /// A segment names it: [`LiveError::InUse`]. The catalog stays as it was.
    pub fn remove_list(&mut self, name: &str, announce: Announce) -> Result<Changes, LiveError> {
        self.edit(announce, |catalog| {
            catalog.remove_list(name);
            Ok(())
        })
    }

    /// What is named and not there has just been taken out, where the catalog as it stands has it.
    fn in_use(&self, error: PlanError) -> LiveError {
        match error {
            PlanError::UnknownSegment { path, name } if self.catalog.get(&name).is_some() => {
                LiveError::InUse { what: "segment", name, path }
            }
            PlanError::UnknownList { path, name } if self.catalog.list(&name).is_some() => {
                LiveError::InUse { what: "list", name, path }
            }
            other => other.into(),
        }
    }

    /// Changes the catalog in any way, at one stroke: what it changes is reported at [`Live::now`]. What stays
    /// as it was is not evaluated again.
    ///
    /// # Errors
    /// What `edit` answers, or the catalog can no longer be asked. It stays as it was.
    pub fn edit(
        &mut self,
        announce: Announce,
        edit: impl FnOnce(&mut Catalog) -> Result<(), PlanError>,
    ) -> Result<Changes, LiveError> {
        let mut catalog = self.catalog.clone();
        edit(&mut catalog)?;
        let plan = catalog.plan().map_err(|error| self.in_use(error))?;
        let same = unchanged(&self.catalog, &catalog);
        // What can fail, first.
        let mut plans: Vec<Option<Plan>> = Vec::with_capacity(same.len());
        for (name, segment) in catalog.segments() {
            plans.push(if same.contains(name) { None } else { Some(catalog.plan_of(segment)?) });
        }
        let mut changes = Changes::default();
        self.finish(&mut changes.transitions);
        let at = Timestamp::from_millis(self.now);
        let answer = |plan: &Plan| {
            let Ok(answer) = self.store.reading().answer(plan, at, Among::Everyone);
            answer.into_iter().next().unwrap_or_default()
        };
        let answers: Vec<Option<RoaringBitmap>> =
            plans.iter().map(|plan| plan.as_ref().map(answer)).collect();
        let (mut before, mut members) = (HashMap::default(), HashMap::default());
        for (place, name) in (0..).zip(&self.names) {
            members.insert(Arc::clone(name), self.state.members.get(place as usize).copied().unwrap_or(0));
            if announce == Announce::Transitions && !same.contains(&**name) {
                before.insert(Arc::clone(name), self.read_off(place));
            }
        }
        let old = Old {
            names: std::mem::take(&mut self.names),
            plan: std::mem::replace(&mut self.plan, plan),
            counts: std::mem::take(&mut self.counts),
            fields: std::mem::take(&mut self.fields),
        };
        self.catalog = catalog;
        self.bitmaps.clear();
        let (kept, stays) = self.prepare(Some((&old, &answers)));
        self.carry(&kept, stays, &old.counts, &answers);
        self.wait_again();

        let none = RoaringBitmap::new();
        let names = self.names.clone();
        for name in old.names.iter().filter(|name| !names.contains(name)) {
            if let Some(was) = before.remove(name) {
                self.announce(name, &was, &none, Because::Catalog, &mut changes);
            }
        }
        self.state.members.clear();
        for (name, answer) in names.iter().zip(&answers) {
            if let (Some(is), Announce::Transitions) = (answer, announce) {
                let was = before.remove(name).unwrap_or_default();
                self.announce(name, &was, is, Because::Catalog, &mut changes);
            }
            let known = || members.get(name).copied().unwrap_or(0);
            self.state.members.push(answer.as_ref().map_or_else(known, RoaringBitmap::len));
        }
        Ok(changes)
    }

    /// Tells the difference between two sets of members.
    pub(super) fn announce(
        &mut self,
        segment: &Arc<str>,
        was: &RoaringBitmap,
        is: &RoaringBitmap,
        because: Because,
        changes: &mut Changes,
    ) {
        let manner = Manner::late(self.now);
        let cause = Arc::new(Cause { condition: None, because });
        for user in was ^ is {
            let (name, of) = (Arc::clone(segment), (user, self.id_of(user)));
            let transition = self.transition(name, of, is.contains(user), Arc::clone(&cause), &manner);
            changes.transitions.push(transition);
        }
    }

    /// Brings the rows to another plan; what was there already is carried over where it does not stay. `answers`: of the segments
    /// that have changed.
    fn carry(&mut self, kept: &Kept, stays: bool, counts: &Counts, answers: &[Option<RoaringBitmap>]) {
        let places: HashMap<u32, u32> = (0..)
            .zip(self.counts.groups())
            .filter_map(|(place, group)| Some((counts.place(group)?, place)))
            .collect();
        let mut beyond = std::mem::take(&mut self.state.beyond).carried(|group| places.get(&group).copied());
        let mut measured: Measured = answers.to_vec();
        measured.resize(self.fields.measured.len(), None);
        let moved = kept.moved(&self.fields);
        let known: Vec<Field> = moved.iter().map(|(_, to)| *to).collect();
        let said = self.say(&known, &measured, &mut beyond);
        let much =
            said.iter().map(|(_, said)| said.len()).sum::<usize>() > self.store.reading().user_numbers();
        if stays && !much && self.state.rows.widen(self.fields.bits) {
            for (field, said) in &said {
                for (user, value) in said.iter() {
                    let with = |cell| field.with(cell, value);
                    self.state.rows.change(user, field.cell, field.of_cell(), with);
                }
            }
        } else {
            let rows = std::mem::take(&mut self.state.rows);
            let mut before = Vec::new();
            self.state.rows = self.fill(&said, |user, row| {
                rows.load(user, &mut before);
                for (from, to) in &moved {
                    let value = from.get(&before);
                    if value != 0 {
                        to.put(row, value);
                    }
                }
            });
        }
        self.state.beyond = beyond;
        self.state.marks = self.counts.mark_all(self.store.reading(), self.now);
    }
}

/// What was asked before.
pub(super) struct Old {
    names: Vec<Arc<str>>,
    plan: Plan,
    counts: Counts,
    fields: Fields,
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
        }
    }

    /// Where it lay whether a user is in a segment that measures.
    fn measured(&self, name: &Arc<str>) -> Option<Field> {
        let place = self.names.iter().position(|have| have == name)?;
        self.fields.of_segment(u32::try_from(place).ok()?)
    }
}

/// The names of segments that mean the same in both catalogs, with all that they name.
fn unchanged<'n>(old: &Catalog, new: &'n Catalog) -> HashSet<&'n str> {
    let mut known = HashMap::default();
    new.segments().map(|(name, _)| name).filter(|name| is_unchanged(name, old, new, &mut known)).collect()
}

fn is_unchanged<'n>(
    name: &'n str,
    old: &Catalog,
    new: &'n Catalog,
    known: &mut HashMap<&'n str, bool>,
) -> bool {
    if let Some(known) = known.get(name) {
        return *known;
    }
    let same = match (old.get(name), new.get(name)) {
        (Some(before), Some(after)) if before == after => outline(after, &Path::ROOT).is_ok_and(|outline| {
            let list = |name: &String| old.list(name) == new.list(name);
            // The catalog has been checked: there are no circles.
            outline.lists.iter().all(|list_at| list(&list_at.name))
                && outline.segments.iter().all(|at| {
                    new.segments()
                        .find(|(name, _)| *name == at.name)
                        .is_some_and(|(name, _)| is_unchanged(name, old, new, known))
                })
        }),
        _ => false,
    };
    known.insert(name, same);
    same
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::segment::builder::{did, seen};
    use crate::store::{Ingest, MemoryStore};
    use crate::time::days;

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
