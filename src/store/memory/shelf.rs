//! A shelf: the sealed events of one name.

use std::ops::Range;
use std::sync::Arc;

use super::bits::Bits;
use super::cell::Cell;
use super::merging::Merging;
use super::part::{Part, Row, bucket_of};
use super::tail::OwnedRow;
use crate::limits::SMALL;

/// So many parts of like size are merged.
const ALIKE: usize = 4;
/// In a bucket that is not the last, all parts are merged where the largest is less than so many times the others.
const PAST: usize = 16;
/// Rows from which on a part is not merged any more, so that no merge takes much room, or long where it must be finished
/// at once.
pub(crate) const FULL: usize = if SMALL { 1 << 12 } else { 1 << 21 };

/// The parts of one name, by bucket; within a bucket in order of sealing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    parts: Vec<Arc<Part>>,
    /// Who has a sealed event, and perhaps some who had one: of all others no part is looked at. `None` where that
    /// would take more bytes than there are events.
    users: Option<Arc<Bits>>,
}

impl Shelf {
    pub(crate) fn parts(&self) -> &[Arc<Part>] {
        &self.parts
    }

    /// The latest instant of a sealed event.
    pub(crate) fn last_instant(&self) -> Option<i64> {
        self.parts.iter().rev().map(|part| part.last_instant()).max()
    }

    /// The parts that can hold instants of the range, both ends included.
    pub(crate) fn parts_between(&self, lo: i64, hi: i64) -> &[Arc<Part>] {
        let start = self.parts.partition_point(|part| part.span().1 < lo);
        let end = self.parts.partition_point(|part| part.span().0 <= hi);
        self.parts.get(start..end).unwrap_or_default()
    }

    /// Whether a user may have a sealed event.
    pub(crate) fn may_hold(&self, user: u32) -> bool {
        self.users.as_ref().is_none_or(|users| users.contains(user))
    }

    /// The parts of a bucket.
    fn of_bucket(&self, bucket: i32) -> &[Arc<Part>] {
        let start = self.parts.partition_point(|part| part.bucket() < bucket);
        let parts = self.parts.get(start..).unwrap_or_default();
        parts.get(..parts.partition_point(|part| part.bucket() == bucket)).unwrap_or_default()
    }

    /// Neighbours of a bucket, by their places among its parts.
    pub(crate) fn neighbours(&self, bucket: i32, places: Range<usize>) -> Option<Vec<&Part>> {
        Some(self.of_bucket(bucket).get(places)?.iter().map(AsRef::as_ref).collect())
    }

    /// The neighbours of a bucket that are to be merged, by their places, none of them full: so many of like size that an
    /// event is copied a logarithm of times in its life. Once there are later buckets, all that are not few beside the
    /// largest. And one alone that is thin.
    pub(crate) fn due(&self, bucket: i32) -> Option<Range<usize>> {
        let parts = self.of_bucket(bucket);
        if let Some(thin) = parts.iter().position(|part| part.is_thin()) {
            return Some(thin..thin + 1);
        }
        let sizes: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let full = sizes.iter().rposition(|size| *size >= FULL).map_or(0, |last| last + 1);
        let sizes = sizes.get(full..).unwrap_or_default();
        let is_last = self.parts.last().is_none_or(|last| last.bucket() <= bucket);
        let (largest, all) = (sizes.iter().max().copied().unwrap_or(0), sizes.iter().sum::<usize>());
        if !is_last && (all - largest) * PAST > largest {
            return Some(full..full + sizes.len());
        }
        (0..sizes.len()).rev().find_map(|last| {
            let (mut start, mut largest) = (last, sizes[last]);
            while start > 0 && sizes[start - 1] < largest * 2 {
                start -= 1;
                largest = largest.max(sizes[start]);
            }
            (last + 1 - start >= ALIKE).then_some(full + start..full + last + 1)
        })
    }

    /// Puts a part in the place of neighbours of a bucket.
    pub(crate) fn join(&mut self, bucket: i32, places: Range<usize>, joined: Part) {
        let start = self.parts.partition_point(|part| part.bucket() < bucket);
        let places = start + places.start..start + places.end;
        if places.end <= self.parts.len() {
            let joined = (joined.len() > 0).then(|| Arc::new(joined));
            self.parts.splice(places, joined);
        }
    }

    /// Leaves one part a bucket, without the rows of users who are gone.
    pub(crate) fn compact(&mut self, is_alive: &dyn Fn(u32) -> bool) {
        // bucket by bucket, each let go before the next is made
        let mut old = std::mem::take(&mut self.parts).into_iter().peekable();
        while let Some(first) = old.next() {
            let mut same = vec![first];
            while let Some(next) = old.next_if(|next| same.iter().all(|part| part.bucket() == next.bucket()))
            {
                same.push(next);
            }
            let merged = match same.as_slice() {
                [one] => one.filter(|user, _| is_alive(user), &mut |_| {}).or(Arc::clone(one)),
                several => {
                    let several: Vec<&Part> = several.iter().map(AsRef::as_ref).collect();
                    let merged = Merging::at_once(&several, is_alive);
                    (merged.len() > 0).then(|| Arc::new(merged))
                }
            };
            self.parts.extend(merged);
        }
    }

    /// Drops the rows before an instant and hands over their values; tells how many were not wiped before.
    pub(crate) fn retain(
        &mut self,
        since: i64,
        is_alive: impl Fn(u32) -> bool,
        mut gone: impl FnMut(Cell),
    ) -> usize {
        let mut dropped = 0;
        let mut keep = |user, at| {
            let alive = is_alive(user);
            dropped += usize::from(alive && at < since);
            alive && at >= since
        };
        let old = std::mem::take(&mut self.parts);
        let kept = |part: Arc<Part>| {
            if part.first_instant() >= since {
                Some(part)
            } else {
                part.filter(&mut keep, &mut gone).or(part)
            }
        };
        self.parts = old.into_iter().filter_map(kept).collect();
        dropped
    }

    /// Drops the rows of a user who is gone: wiped at once where they lie, away when their part is merged, which may be due now
    /// in some buckets.
    pub(crate) fn wipe(&mut self, user: u32) -> Vec<i32> {
        let mut thin = Vec::new();
        for part in self.parts.iter_mut().filter(|part| !part.rows_of(user).is_empty()) {
            let part = Arc::make_mut(part);
            part.wipe(user);
            thin.extend(part.is_thin().then_some(part.bucket()));
        }
        if let Some(users) = &mut self.users {
            Arc::make_mut(users).remove(user);
        }
        thin
    }

    /// Lets go the values that only some users had who have been wiped.
    pub(crate) fn sweep(&mut self, users: &[u32]) {
        let parts = self.parts.iter_mut().filter(|part| part.tells_of(users));
        parts.for_each(|part| Arc::make_mut(part).sweep());
    }

    pub(crate) fn tells_of(&self, users: &[u32]) -> bool {
        self.parts.iter().any(|part| part.tells_of(users))
    }

    pub(crate) fn holds(&self, user: u32) -> bool {
        self.may_hold(user) && self.parts.iter().any(|part| !part.rows_of(user).is_empty())
    }

    /// Takes note of the users of rows that are about to be sealed.
    fn note(&mut self, rows: &[Row<'_>]) {
        let until = rows.iter().map(|row| row.user as usize + 1).max().unwrap_or(0);
        let users = match &mut self.users {
            Some(users) => users,
            None => {
                let events: usize = self.parts.iter().map(|part| part.len()).sum();
                if events + rows.len() < until / 8 {
                    return;
                }
                let mut known = Bits::default();
                for user in self.parts.iter().flat_map(|part| part.all_users()) {
                    known.grow(user as usize + 1);
                    known.insert(user);
                }
                self.users.insert(Arc::new(known))
            }
        };
        let users = Arc::make_mut(users);
        users.grow(until);
        rows.iter().for_each(|row| users.insert(row.user));
    }

    /// Bytes beside those of the parts.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.users.as_ref().map_or(0, |users| users.memory()) + self.parts.capacity() * 8
    }

    /// Copies of a user's rows, to be moved.
    pub(crate) fn copy_rows(&self, name: u32, user: u32) -> Vec<OwnedRow> {
        let owned = |part: &Part, row: usize| OwnedRow {
            name,
            at: part.at(row),
            tie: part.tie(row),
            properties: part.properties(row).collect(),
        };
        let of_part = |part: &Arc<Part>| part.rows_of(user).map(|row| owned(part, row)).collect::<Vec<_>>();
        self.parts.iter().flat_map(of_part).collect()
    }

    /// Seals rows, sorted by (bucket, user, at, tie); tells in which buckets parts may have to be merged.
    pub(crate) fn seal(&mut self, rows: &[Row<'_>]) -> Vec<i32> {
        let mut buckets = Vec::new();
        self.note(rows);
        for rows in rows.chunk_by(|a, b| bucket_of(a.at) == bucket_of(b.at)) {
            let Some(bucket) = rows.first().map(|row| bucket_of(row.at)) else { continue };
            // what was the last bucket until now has a stricter rule from now on
            let last = self.parts.last().map(|part| part.bucket()).filter(|last| *last < bucket);
            let end = self.parts.partition_point(|have| have.bucket() <= bucket);
            self.parts.insert(end, Arc::new(Part::new(bucket, rows)));
            buckets.extend(last.into_iter().chain([bucket]));
        }
        buckets
    }
}
