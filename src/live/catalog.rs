//! Segments and lists that come, change and go while the engine runs.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use roaring::RoaringBitmap;

use super::counts::Counts;
use super::members::Members;
use super::settle::Manner;
use super::state::LeafBits;
use super::transition::{Because, Cause, Changes};
use super::{Live, LiveError};
use crate::catalog::Catalog;
use crate::json::Path;
use crate::plan::{Leaf, PlanError};
use crate::segment::{Segment, outline};
use crate::store::{Among, EventStore};
use crate::time::Timestamp;

/// Whether a changed catalog makes transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Announce {
    /// Whoever is in a segment afterwards and was not before entered it, and the other way round: all members
    /// of a new segment enter it, all of one that is removed leave it.
    Transitions,
    /// Membership changes without a word.
    Silently,
}

impl Live {
    /// Adds a segment, or puts it in place of the one of that name. Others that name it change with it.
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
    /// Another segment names it. The catalog stays as it was.
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
        let plan = catalog.plan()?;
        let same = unchanged(&self.catalog, &catalog);
        let at = Timestamp::from_millis(self.now);
        // What can fail, first.
        let mut answers: Vec<Option<RoaringBitmap>> = Vec::with_capacity(same.len());
        for (name, segment) in catalog.segments() {
            answers.push(match same.contains(name) {
                true => None,
                false => {
                    let plan = catalog.plan_of(segment)?;
                    let Ok(answer) = self.store.reading().answer(&plan, at, Among::Everyone);
                    Some(answer.into_iter().next().unwrap_or_default())
                }
            });
        }
        let old_names = std::mem::take(&mut self.names);
        let mut before: HashMap<Arc<str>, RoaringBitmap> =
            (0..).zip(&old_names).map(|(place, name)| (name.clone(), self.state.members.of(place))).collect();
        self.state.leaves = self.carry(plan.leaves(), at);
        let old_counts = std::mem::take(&mut self.counts);
        (self.catalog, self.plan) = (catalog, plan);
        self.prepare();
        self.carry_tallies(&old_counts);
        if !std::mem::take(&mut self.pending).is_empty() {
            // Found again in the store, by what they concern now.
            self.ahead = self.now.saturating_add(1);
        } else if self.ahead < i64::MAX {
            self.ahead = self.first_arrival(self.now);
        }

        let mut changes = Changes::default();
        let names = self.names.clone();
        for name in old_names.iter().filter(|name| !names.contains(name)) {
            if let (Some(was), Announce::Transitions) = (before.remove(name), announce) {
                self.announce(name, &was, &RoaringBitmap::new(), Because::Catalog, &mut changes);
            }
        }
        let mut members = Vec::with_capacity(names.len());
        for (name, answer) in names.iter().zip(answers) {
            let was = before.remove(name).unwrap_or_default();
            if let (Some(is), Announce::Transitions) = (&answer, announce) {
                self.announce(name, &was, is, Because::Catalog, &mut changes);
            }
            members.push(answer.unwrap_or(was));
        }
        self.state.members = Members::of_all(&members);
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
        for user in was ^ is {
            let cause = Cause { condition: None, because: because.clone() };
            let (name, of) = (Arc::clone(segment), (user, self.id_of(user)));
            let transition = self.transition(name, of, is.contains(user), cause, &manner);
            changes.transitions.push(transition);
        }
    }

    /// The answers to other leaves, those that were there already carried over.
    fn carry(&self, leaves: &[Leaf], at: Timestamp) -> LeafBits {
        let places: HashMap<&Leaf, u32> = self.plan.leaves().iter().zip(0..).collect();
        // The ids of a list may have changed under its name.
        let known = |leaf: &Leaf| places.get(leaf).copied().filter(|_| !matches!(leaf, Leaf::List(_)));
        let from: Vec<Option<u32>> = leaves.iter().map(known).collect();
        let mut bits = self.state.leaves.carried(&from);
        let new: Vec<(u32, &Leaf)> =
            (0..).zip(leaves).filter(|(place, _)| from[*place as usize].is_none()).collect();
        let asked: Vec<&Leaf> = new.iter().map(|(_, leaf)| *leaf).collect();
        let Ok(answers) = self.store.reading().resolve(&asked, at, Among::Everyone);
        for ((place, _), users) in new.iter().zip(&answers) {
            users.iter().for_each(|user| _ = bits.set(user, *place, true));
        }
        bits
    }
}

impl Live {
    /// The tallies of other groups, those that were there already carried over.
    fn carry_tallies(&mut self, old: &Counts) {
        let from: Vec<Option<u32>> = self.counts.groups().iter().map(|group| old.place(&group.key)).collect();
        let mut tallies = self.state.tallies.carried(&from);
        let is_new = |place: u32| from.get(place as usize).is_some_and(Option::is_none);
        self.counts.tally(self.store.reading(), self.now, &mut tallies, is_new);
        self.state.tallies = tallies;
        self.state.marks = self.counts.mark_all(self.store.reading(), self.now);
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
