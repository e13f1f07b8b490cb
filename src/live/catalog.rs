//! Segments and lists that come, change and go while the engine runs.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use roaring::RoaringBitmap;

use super::carry::Old;
use super::settle::Manner;
use super::transition::{Because, Cause, Changes};
use super::{Live, LiveError};
use crate::catalog::Catalog;
use crate::json::Path;
use crate::plan::{Plan, PlanError};
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
        let kept = self.prepare(Some((&old, &answers)));
        self.carry(&kept, &old.counts, &answers);
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
