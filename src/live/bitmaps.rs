//! The members of segments that are asked for, as bitmaps that follow what changes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use roaring::RoaringBitmap;

use crate::limits::SMALL;

/// Bytes that are kept at the most; one bitmap in any case.
const MOST: usize = if SMALL { 32 } else { 1 << 23 };
/// A bitmap is followed through so many changes for nobody, and through one more for so many users: about what it costs to read
/// it off anew.
const UNASKED: u32 = if SMALL { 4 } else { 1 << 10 };
const USERS_A_CHANGE: usize = 16;

/// Bitmaps of the segments that were asked for last. One lasts until following has cost what reading it off anew costs and
/// nobody has asked meanwhile; of more than there is room for, the one goes that was asked for longest ago.
#[derive(Debug, Default)]
pub(super) struct Bitmaps {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    of_segments: Vec<Option<Box<Bitmap>>>,
    count: usize,
    /// How often one was asked for.
    asked: u64,
}

#[derive(Debug)]
struct Bitmap {
    users: RoaringBitmap,
    /// When it was asked for last.
    asked: u64,
    /// Changes since then, and how many there may be.
    followed: u32,
    worth: u32,
}

impl Bitmaps {
    /// The members of a segment, who are some of so many users, where they are kept.
    pub(super) fn get(&self, segment: u32, of: usize) -> Option<RoaringBitmap> {
        let mut kept = self.lock();
        kept.asked += 1;
        kept.limit(of);
        let asked = kept.asked;
        let bitmap = kept.of_segments.get_mut(segment as usize)?.as_deref_mut()?;
        (bitmap.asked, bitmap.followed) = (asked, 0);
        Some(bitmap.users.clone())
    }

    /// Keeps the members of a segment, who are some of so many users.
    pub(super) fn keep(&self, segment: u32, users: RoaringBitmap, of: usize) {
        let mut kept = self.lock();
        kept.asked += 1;
        let (place, asked) = (segment as usize, kept.asked);
        if kept.of_segments.len() <= place {
            kept.of_segments.resize_with(place + 1, || None);
        }
        let worth = UNASKED.saturating_add(u32::try_from(of / USERS_A_CHANGE).unwrap_or(u32::MAX));
        kept.count += usize::from(kept.of_segments[place].is_none());
        kept.of_segments[place] = Some(Box::new(Bitmap { users, asked, followed: 0, worth }));
        kept.limit(of);
    }

    /// A user entered a segment, or left it.
    pub(super) fn follow(&mut self, segment: u32, user: u32, entered: bool) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = kept.of_segments.get_mut(segment as usize) else { return };
        let Some(bitmap) = place else { return };
        bitmap.followed += 1;
        if bitmap.followed > bitmap.worth {
            *place = None;
            kept.count -= 1;
        } else if entered {
            bitmap.users.insert(user);
        } else {
            bitmap.users.remove(user);
        }
    }

    /// Lets all of them go.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn memory(&self) -> usize {
        let kept = self.lock();
        let bitmaps = kept.of_segments.iter().flatten();
        let bytes = bitmaps.map(|bitmap| size_of::<Bitmap>() + bitmap.users.serialized_size());
        bytes.sum::<usize>() + kept.of_segments.capacity() * size_of::<Option<Box<Bitmap>>>()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing is left half done where this could panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Lets the oldest go where bitmaps of so many users are more than there is room for, but for one. A bitmap takes a bit a
    /// user at the most.
    fn limit(&mut self, users: usize) {
        let most = (MOST / (users / 8).max(1)).max(1);
        while self.count > most {
            let asked =
                |place: &&mut Option<Box<Bitmap>>| place.as_ref().map_or(u64::MAX, |bitmap| bitmap.asked);
            if let Some(oldest) = self.of_segments.iter_mut().min_by_key(asked) {
                *oldest = None;
            }
            self.count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(users: &[u32]) -> RoaringBitmap {
        users.iter().copied().collect()
    }

    #[test]
    fn what_is_kept_follows() {
        let mut bitmaps = Bitmaps::default();
        assert_eq!(bitmaps.get(3, 10), None);
        bitmaps.keep(3, of(&[1, 2]), 10);
        bitmaps.follow(3, 5, true);
        bitmaps.follow(3, 1, false);
        bitmaps.follow(2, 7, true);
        bitmaps.follow(9, 7, true);
        assert_eq!(bitmaps.get(3, 10), Some(of(&[2, 5])));
        assert_eq!(bitmaps.get(2, 10), None);
        bitmaps.clear();
        assert_eq!(bitmaps.get(3, 10), None);
    }

    #[test]
    fn who_is_not_asked_for_goes() {
        let mut bitmaps = Bitmaps::default();
        let users = USERS_A_CHANGE;
        bitmaps.keep(0, of(&[]), users);
        let worth = UNASKED + 1;
        for user in 0..worth {
            bitmaps.follow(0, user, true);
        }
        assert_eq!(bitmaps.get(0, users).map(|users| users.len()), Some(u64::from(worth)));
        // It was asked for now, and may be followed as long again.
        for user in 0..worth {
            bitmaps.follow(0, user, false);
        }
        assert!(bitmaps.memory() > size_of::<Bitmap>());
        bitmaps.follow(0, 0, true);
        assert_eq!(bitmaps.get(0, users), None);
    }

    #[test]
    fn the_one_asked_for_longest_ago_makes_room() {
        let bitmaps = Bitmaps::default();
        let users = 8 * MOST / 3;
        for segment in 0..3 {
            assert_eq!(bitmaps.get(segment, users), None);
            bitmaps.keep(segment, of(&[segment]), users);
        }
        assert!(bitmaps.get(0, users).is_some());
        assert_eq!(bitmaps.get(7, users), None);
        bitmaps.keep(7, of(&[]), users);
        assert_eq!(
            [0, 1, 2, 7].map(|segment| bitmaps.get(segment, users).is_some()),
            [true, false, true, true]
        );
        // Of users so many that one bitmap takes all the room, one is kept: the one that was asked for last.
        assert_eq!(bitmaps.get(7, usize::MAX), Some(of(&[])));
        assert_eq!([0, 2, 7].map(|segment| bitmaps.get(segment, users).is_some()), [false, false, true]);
        bitmaps.keep(4, of(&[]), usize::MAX);
        assert_eq!([4, 7].map(|segment| bitmaps.get(segment, users).is_some()), [true, false]);
    }

    #[test]
    fn as_users_come_there_is_room_for_fewer() {
        let bitmaps = Bitmaps::default();
        let few = 8 * MOST / 16;
        (0..16).for_each(|segment| bitmaps.keep(segment, of(&[1]), few));
        let kept = |users: usize| {
            let last = bitmaps.get(15, users);
            assert!(last.is_some());
            bitmaps.lock().of_segments.iter().flatten().count()
        };
        assert_eq!([few, 4 * few, 16 * few].map(kept), [16, 4, 1]);
        assert_eq!(bitmaps.lock().count, 1);
    }
}
