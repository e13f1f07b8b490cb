//! The state of an engine between two runs of a process.

use std::sync::Arc;

use foldhash::HashMap;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::transition::{Because, Changes};
use super::{Live, LiveError};
use crate::catalog::Catalog;
use crate::store::MemoryStore;
use crate::time::Timestamp;

/// The version of [`Saved`] that this crate writes and reads.
const VERSION: u32 = 1;

/// What an engine knows beyond its store: the instant it has reached, its catalog, the number of the last
/// transition, and who is in which segment. It serializes with any format of serde.
///
/// Kept in one transaction with the transitions up to it, it makes delivery exact: after a restart, [`Live::restore`] goes on
/// from there. The store is not part of it: the application hands it over, filled again with all facts.
///
/// Facts that the store has taken in since are not lost: what they changed late is reported by the restoring itself, and what
/// waits for its instant when that is reached. Fill the store in the order in which facts came first, and transitions have the
/// numbers that they would have had without the restart: users of one instant are told in the order in which the store met
/// them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    version: u32,
    /// Milliseconds.
    now: i64,
    sequence: u64,
    /// As JSON.
    catalog: String,
    /// The members of each segment, by the numbers that users had: a roaring bitmap in its portable form.
    members: Vec<(String, Vec<u8>)>,
    /// The external ids of those numbers.
    ids: Vec<(u32, String)>,
}

impl Saved {
    /// The instant that the engine had reached.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// The number of its last transition.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    fn bitmaps(&self) -> Result<Vec<(Arc<str>, RoaringBitmap)>, LiveError> {
        let read = |(name, bytes): &(String, Vec<u8>)| {
            let bitmap = RoaringBitmap::deserialize_from(bytes.as_slice());
            Ok((name.as_str().into(), bitmap.map_err(|error| damaged(error.to_string()))?))
        };
        self.members.iter().map(read).collect()
    }

    /// What was read fits together: guessing at the rest would tell transitions twice, or never.
    fn check(&self, live: &Live, was: &[(Arc<str>, RoaringBitmap)]) -> Result<(), LiveError> {
        if !live.names.iter().eq(was.iter().map(|(name, _)| name)) {
            return Err(damaged("the segments are not those of the catalog"));
        }
        let known: RoaringBitmap = self.ids.iter().map(|(user, _)| *user).collect();
        if let Some(user) = was.iter().find_map(|(_, was)| (was - &known).min()) {
            return Err(damaged(format!("the member {user} has no external id")));
        }
        // No engine comes so far; behind the last number there is none.
        if self.sequence > u64::MAX / 2 {
            return Err(damaged(format!("{} is no number of a transition", self.sequence)));
        }
        Ok(())
    }
}

fn damaged(why: impl Into<String>) -> LiveError {
    LiveError::Saved(why.into())
}

impl Live {
    /// What has to be kept for [`Live::restore`], beside the store. An instant that is under way
    /// ([`Live::settle_at_most`]) is kept as still to come; [`Live::advance`] to a later one finishes it first.
    pub fn save(&self) -> Saved {
        let members = self.members_of_all();
        let all = members.iter().fold(RoaringBitmap::new(), |all, members| all | members);
        let id = |user| Some((user, self.store.reading().id_of(user)?.to_owned()));
        let bytes = |members: &RoaringBitmap| {
            let mut bytes = Vec::with_capacity(members.serialized_size());
            // Writing to memory cannot fail.
            let _written = members.serialize_into(&mut bytes);
            bytes
        };
        Saved {
            version: VERSION,
            now: self.told_to(),
            sequence: self.sequence,
            catalog: self.catalog.to_json(),
            members: self.names.iter().map(ToString::to_string).zip(members.iter().map(bytes)).collect(),
            ids: all.iter().filter_map(id).collect(),
        }
    }

    /// The engine that was saved, over its store as it is now: usually with the same facts, perhaps with facts
    /// that came later. Users may have other numbers. Whoever is in another segment than was saved is reported
    /// at [`Live::now`].
    ///
    /// # Errors
    /// What was saved is of another version, or damaged.
    pub fn restore(saved: &Saved, store: MemoryStore) -> Result<(Self, Changes), LiveError> {
        if saved.version != VERSION {
            let message = format!("it is of version {}, and {VERSION} is read", saved.version);
            return Err(LiveError::Saved(message));
        }
        let was = saved.bitmaps()?;
        let catalog = Catalog::from_json(&saved.catalog);
        let catalog = catalog.map_err(|error| damaged(format!("its catalog: {error}")))?;
        let mut live = Self::new(catalog, store, saved.now())?;
        saved.check(&live, &was)?;
        live.sequence = saved.sequence;
        let mut changes = Changes::default();
        let ids: HashMap<u32, &str> = saved.ids.iter().map(|(user, id)| (*user, id.as_str())).collect();
        for (name, was) in was {
            live.compare(&name, &was, &ids, &mut changes);
        }
        Ok((live, changes))
    }

    /// Tells how membership of a segment differs from what it was by other numbers.
    fn compare(
        &mut self,
        segment: &Arc<str>,
        was: &RoaringBitmap,
        ids: &HashMap<u32, &str>,
        changes: &mut Changes,
    ) {
        let mut known = RoaringBitmap::new();
        for user in was {
            let Some(id) = ids.get(&user) else { continue };
            match self.store.reading().number_of(id) {
                // One that was merged into another since then left by that id.
                Some(now) if self.store.reading().id_of(now) == Some(id) => _ = known.insert(now),
                _ => {
                    self.parting = Some((user, (*id).into()));
                    let (one, none) = (RoaringBitmap::from_iter([user]), RoaringBitmap::new());
                    self.announce(segment, &one, &none, Because::Restore, changes);
                    self.parting = None;
                }
            }
        }
        let is = self.place(segment).map(|place| self.read_off(place)).unwrap_or_default();
        self.announce(segment, &known, &is, Because::Restore, changes);
    }
}
