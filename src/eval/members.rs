//! Answers: sets of users of a store, and their names.

use std::convert::Infallible;
use std::fmt;

use roaring::RoaringBitmap;

use crate::priority::Audience;
use crate::store::{EventStore, UserId};

/// The users of a store that are in a segment: a bitmap, and the way to their external ids.
pub struct Members<'s, S: ?Sized> {
    store: &'s S,
    bitmap: RoaringBitmap,
}

impl<'s, S: EventStore + ?Sized> Members<'s, S> {
    pub(super) fn new(store: &'s S, bitmap: RoaringBitmap) -> Self {
        Self { store, bitmap }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.bitmap.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bitmap.is_empty()
    }

    /// Whether a user is one of them.
    pub fn contains(&self, user: UserId) -> bool {
        self.bitmap.contains(user.number())
    }

    /// The users, by number.
    pub fn bitmap(&self) -> &RoaringBitmap {
        &self.bitmap
    }

    /// The users, by number, without the store.
    pub fn into_bitmap(self) -> RoaringBitmap {
        self.bitmap
    }

    /// The external ids, in the order of the users' numbers, looked up a thousand at a time.
    ///
    /// Of a store whose reading cannot fail, such as a snapshot of the in-memory one; see [`Self::try_ids`].
    pub fn ids(&self) -> impl Iterator<Item = String> + use<'_, 's, S>
    where
        S: EventStore<Error = Infallible>,
    {
        self.try_ids().map(|Ok(id)| id)
    }

    /// The external ids, in the order of the users' numbers, looked up a thousand at a time.
    ///
    /// # Errors
    /// What the store cannot read; nothing follows after that.
    pub fn try_ids(&self) -> impl Iterator<Item = Result<String, S::Error>> + use<'_, 's, S> {
        Names { store: self.store, left: self.bitmap.iter(), ready: Vec::new().into_iter() }
    }

    /// Visits the external ids of all of them in one go, in any order: quicker than one by one.
    ///
    /// # Errors
    /// What the store cannot read.
    pub fn visit_ids(&self, mut visit: impl FnMut(UserId, &str)) -> Result<(), S::Error> {
        self.store.ids(&self.bitmap, &mut visit)
    }
}

impl<S: ?Sized> Clone for Members<'_, S> {
    fn clone(&self) -> Self {
        Self { store: self.store, bitmap: self.bitmap.clone() }
    }
}

impl<S: ?Sized> fmt::Debug for Members<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("bitmap", &self.bitmap).finish_non_exhaustive()
    }
}

impl<S: ?Sized> Audience for Members<'_, S> {
    fn bitmap(&self) -> &RoaringBitmap {
        &self.bitmap
    }
}

/// How many names are looked up at once.
const CHUNK: usize = 1_000;

/// External ids, a chunk ahead.
struct Names<'m, S: ?Sized> {
    store: &'m S,
    left: roaring::bitmap::Iter<'m>,
    ready: std::vec::IntoIter<(UserId, String)>,
}

impl<S: EventStore + ?Sized> Names<'_, S> {
    /// Looks the next chunk up; of the last one nothing is left.
    fn fetch(&mut self) -> Result<(), S::Error> {
        // A chunk may be of users whom the store has forgotten since: then the next one decides.
        while self.ready.len() == 0 {
            let chunk = self.left.by_ref().take(CHUNK);
            let chunk = RoaringBitmap::from_sorted_iter(chunk).unwrap_or_default();
            if chunk.is_empty() {
                break;
            }
            let mut found = Vec::with_capacity(CHUNK);
            self.store.ids(&chunk, &mut |user, id| found.push((user, id.to_owned())))?;
            found.retain(|(user, _)| chunk.contains(user.number()));
            found.sort_unstable_by_key(|(user, _)| *user);
            self.ready = found.into_iter();
        }
        Ok(())
    }
}

impl<S: EventStore + ?Sized> Iterator for Names<'_, S> {
    type Item = Result<String, S::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.len() == 0
            && let Err(error) = self.fetch()
        {
            self.left = EMPTY.iter();
            return Some(Err(error));
        }
        self.ready.next().map(|(_, id)| Ok(id))
    }
}

/// What is left after an error.
static EMPTY: std::sync::LazyLock<RoaringBitmap> = std::sync::LazyLock::new(RoaringBitmap::new);

/// The members of each segment of a catalog.
pub struct Answers<'s, S: ?Sized> {
    /// In the order of the plan, which is that of the names.
    segments: Vec<(String, Members<'s, S>)>,
}

impl<'s, S: EventStore + ?Sized> Answers<'s, S> {
    pub(super) fn new(segments: Vec<(String, Members<'s, S>)>) -> Self {
        Self { segments }
    }

    /// The members of the segment of that name; `None` where it was not asked for.
    pub fn get(&self, segment: &str) -> Option<&Members<'s, S>> {
        self.segments.iter().find(|(name, _)| name == segment).map(|(_, members)| members)
    }

    /// The segments, in the order of the catalog.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Members<'s, S>)> {
        self.segments.iter().map(|(name, members)| (name.as_str(), members))
    }

    /// How many segments there are.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether no segment was asked for.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}

/// The members of the segment of that name.
///
/// # Panics
/// Where it was not asked for, as a map does; [`Answers::get`] does not.
impl<'s, S: EventStore + ?Sized> std::ops::Index<&str> for Answers<'s, S> {
    type Output = Members<'s, S>;

    #[allow(clippy::panic)] // says so
    fn index(&self, segment: &str) -> &Self::Output {
        match self.get(segment) {
            Some(members) => members,
            None => panic!("no segment {segment:?} was asked for"),
        }
    }
}

impl<'s, S: ?Sized> IntoIterator for Answers<'s, S> {
    type Item = (String, Members<'s, S>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.segments.into_iter()
    }
}

/// What [`Answers`] iterate over.
type Named<'s, S> = (String, Members<'s, S>);

impl<'a, 's, S: ?Sized> IntoIterator for &'a Answers<'s, S> {
    type Item = (&'a str, &'a Members<'s, S>);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, Named<'s, S>>, fn(&'a Named<'s, S>) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.segments.iter().map(|(name, members)| (name.as_str(), members))
    }
}

impl<S: ?Sized> fmt::Debug for Answers<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.segments.iter().map(|(name, members)| (name, members))).finish()
    }
}
