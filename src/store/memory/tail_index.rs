//! An index of the tail that the writer keeps up: the events of one user, and those of a stretch of time.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// No row.
const NONE: u32 = u32::MAX;

/// Rows by name and user, and in order of time; what a row is, the caller knows.
#[derive(Clone, Debug, Default)]
pub(super) struct TailIndex {
    /// The latest row of each name and user.
    heads: HashTable<u32>,
    /// By row: the one before it of the same name and user.
    before: Vec<u32>,
    /// The rows that came in order of time, by instant.
    by_time: Vec<u32>,
    /// The others, by instant.
    late: Vec<u32>,
    hasher: RandomState,
}

impl TailIndex {
    pub(super) fn len(&self) -> usize {
        self.before.len()
    }

    /// Takes the next row in.
    pub(super) fn push(&mut self, key: impl Fn(u32) -> (u32, u32), at: impl Fn(u32) -> i64) {
        let row = self.link(key);
        // Most events come in order of time.
        let later = |have: &u32| at(*have) > at(row);
        match self.by_time.last() {
            Some(last) if later(last) => {
                let place = self.late.partition_point(|have| !later(have));
                self.late.insert(place, row);
            }
            _ => self.by_time.push(row),
        }
    }

    fn link(&mut self, key: impl Fn(u32) -> (u32, u32)) -> u32 {
        let row = u32::try_from(self.before.len()).unwrap_or(NONE);
        let (this, hasher) = (key(row), &self.hasher);
        let hash = hasher.hash_one(this);
        match self.heads.find_mut(hash, |have| key(*have) == this) {
            Some(head) => self.before.push(std::mem::replace(head, row)),
            None => {
                self.heads.insert_unique(hash, row, |have| hasher.hash_one(key(*have)));
                self.before.push(NONE);
            }
        }
        row
    }

    /// The same rows, some of which are of other users now.
    pub(super) fn again(self, key: impl Fn(u32) -> (u32, u32)) -> Self {
        let rows = self.before.len();
        let mut index = Self { by_time: self.by_time, late: self.late, ..Self::default() };
        (0..rows).for_each(|_| _ = index.link(&key));
        index
    }

    /// The rows of a name and user, the latest to arrive first.
    pub(super) fn rows_of(
        &self,
        of: (u32, u32),
        key: impl Fn(u32) -> (u32, u32),
    ) -> impl Iterator<Item = u32> {
        let head = self.heads.find(self.hasher.hash_one(of), |have| key(*have) == of).copied();
        std::iter::successors(head, |row| self.before.get(*row as usize).copied().filter(|row| *row != NONE))
    }

    /// The rows whose instants lie in a range, both ends included.
    pub(super) fn between(&self, lo: i64, hi: i64, at: impl Fn(u32) -> i64) -> impl Iterator<Item = u32> {
        let inside = |rows: &'_ [u32]| {
            let start = rows.partition_point(|row| at(*row) < lo);
            start..start.max(rows.partition_point(|row| at(*row) <= hi))
        };
        let [in_order, late] =
            [&self.by_time, &self.late].map(|rows| rows.get(inside(rows)).unwrap_or_default());
        in_order.iter().chain(late).copied()
    }

    pub(super) fn memory(&self) -> usize {
        self.heads.allocation_size()
            + (self.before.capacity() + self.by_time.capacity() + self.late.capacity()) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_user_and_by_time() {
        let mut rows = vec![(0, 7, 10), (1, 7, 20), (0, 7, 15), (0, 8, 15), (0, 7, 5)];
        let mut index = TailIndex::default();
        for _ in 0..rows.len() {
            index.push(|i| (rows[i as usize].0, rows[i as usize].1), |i| rows[i as usize].2);
        }
        let of = |index: &TailIndex, rows: &[(u32, u32, i64)], of| {
            index.rows_of(of, |i| (rows[i as usize].0, rows[i as usize].1)).collect::<Vec<_>>()
        };
        assert_eq!((of(&index, &rows, (0, 7)), of(&index, &rows, (2, 7))), (vec![4, 2, 0], vec![]));
        let between =
            |index: &TailIndex, lo, hi| index.between(lo, hi, |i| rows[i as usize].2).collect::<Vec<_>>();
        assert_eq!(between(&index, 6, 15), [0, 2, 3]);
        assert_eq!(between(&index, 16, i64::MAX), [1]);
        assert_eq!(between(&index, 0, 20), [0, 1, 4, 2, 3]);
        rows[3].1 = 7;
        let index = index.again(|i| (rows[i as usize].0, rows[i as usize].1));
        assert_eq!(of(&index, &rows, (0, 7)), [4, 3, 2, 0]);
        assert_eq!(index.between(6, 15, |i| rows[i as usize].2).collect::<Vec<_>>(), [0, 2, 3]);
    }
}
