//! An index of the tail that the writer keeps up: the events of one user, and those of a stretch of time.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::limits::SMALL;
use crate::plan::bounds::Bounds;

/// No row.
const NONE: u32 = u32::MAX;
/// Rows of a user that are gone through without ado.
const FEW: usize = if SMALL { 1 } else { 16 };

/// Rows by name and user, and in order of time; what a row is, the caller knows.
#[derive(Clone, Debug, Default)]
pub(super) struct TailIndex {
    /// The latest row of each name and user, and how many there are.
    heads: HashTable<(u32, u32)>,
    /// By row: the one before it of the same name and user.
    before: Vec<u32>,
    /// By name.
    by_time: Vec<ByTime>,
    hasher: RandomState,
}

/// The rows of a name by instant: those that came in order of time, and the others.
#[derive(Clone, Debug, Default)]
struct ByTime {
    in_order: Vec<u32>,
    late: Vec<u32>,
}

impl ByTime {
    fn push(&mut self, row: u32, at: impl Fn(u32) -> i64) {
        // Most events come in order of time.
        let later = |have: &u32| at(*have) > at(row);
        match self.in_order.last() {
            Some(last) if later(last) => {
                let place = self.late.partition_point(|have| !later(have));
                self.late.insert(place, row);
            }
            _ => self.in_order.push(row),
        }
    }

    fn clear(&mut self) {
        self.in_order.clear();
        self.late.clear();
    }

    fn between(&self, lo: i64, hi: i64, at: impl Fn(u32) -> i64) -> [&[u32]; 2] {
        [&self.in_order, &self.late].map(|rows| {
            let start = rows.partition_point(|row| at(*row) < lo);
            let end = rows.partition_point(|row| at(*row) <= hi);
            rows.get(start..end).unwrap_or_default()
        })
    }
}

impl TailIndex {
    pub(super) fn len(&self) -> usize {
        self.before.len()
    }

    /// Forgets all rows, and keeps their room.
    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.before.clear();
        self.by_time.iter_mut().for_each(ByTime::clear);
    }

    /// Takes the next row in.
    pub(super) fn push(&mut self, key: impl Fn(u32) -> (u32, u32), at: impl Fn(u32) -> i64) {
        let row = self.link(&key);
        let name = key(row).0 as usize;
        if self.by_time.len() <= name {
            self.by_time.resize_with(name + 1, ByTime::default);
        }
        if let Some(of_name) = self.by_time.get_mut(name) {
            of_name.push(row, at);
        }
    }

    fn link(&mut self, key: impl Fn(u32) -> (u32, u32)) -> u32 {
        let row = u32::try_from(self.before.len()).unwrap_or(NONE);
        let (this, hasher) = (key(row), &self.hasher);
        let hash = hasher.hash_one(this);
        match self.heads.find_mut(hash, |(have, _)| key(*have) == this) {
            Some((head, many)) => {
                self.before.push(std::mem::replace(head, row));
                *many += 1;
            }
            None => {
                self.heads.insert_unique(hash, (row, 1), |(have, _)| hasher.hash_one(key(*have)));
                self.before.push(NONE);
            }
        }
        row
    }

    /// The same rows, some of which are of other users now.
    pub(super) fn again(self, key: impl Fn(u32) -> (u32, u32)) -> Self {
        let rows = self.before.len();
        let mut index = Self { by_time: self.by_time, ..Self::default() };
        (0..rows).for_each(|_| _ = index.link(&key));
        index
    }

    /// Rows of a name and user, in no order: all whose instants lie inside, and perhaps others.
    pub(super) fn rows_of(
        &self,
        of: (u32, u32),
        inside: Bounds,
        key: impl Fn(u32) -> (u32, u32) + Copy,
        at: impl Fn(u32) -> i64 + Copy,
    ) -> impl Iterator<Item = u32> {
        let head = self.heads.find(self.hasher.hash_one(of), |(have, _)| key(*have) == of);
        let (head, many) = head.map_or((None, 0), |(head, many)| (Some(*head), *many as usize));
        // Of a user with very many, everyone's rows there may be fewer.
        let there = (many > FEW).then(|| self.between(of.0, inside.lo, inside.hi, at));
        let there = there.filter(|[in_order, late]| in_order.len() + late.len() < many);
        let before = |row: &u32| self.before.get(*row as usize).copied().filter(|row| *row != NONE);
        let of_user = std::iter::successors(head.filter(|_| there.is_none()), before);
        of_user.chain(there.into_iter().flatten().flatten().copied().filter(move |row| key(*row) == of))
    }

    /// The rows of a name whose instants lie in a range, both ends included.
    pub(super) fn between(&self, name: u32, lo: i64, hi: i64, at: impl Fn(u32) -> i64) -> [&[u32]; 2] {
        self.by_time.get(name as usize).map_or([&[]; 2], |of_name| of_name.between(lo, hi, at))
    }

    pub(super) fn memory(&self) -> usize {
        let of_name = |rows: &ByTime| rows.in_order.capacity() + rows.late.capacity();
        let by_time: usize = self.by_time.iter().map(of_name).sum();
        self.heads.allocation_size() + (self.before.capacity() + by_time) * 4
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
            let (key, at) = (|i: u32| (rows[i as usize].0, rows[i as usize].1), |i: u32| rows[i as usize].2);
            index.rows_of(of, Bounds::ALL, key, at).collect::<Vec<_>>()
        };
        assert_eq!((of(&index, &rows, (0, 7)), of(&index, &rows, (2, 7))), (vec![4, 2, 0], vec![]));
        let between =
            |index: &TailIndex, lo, hi| index.between(0, lo, hi, |i| rows[i as usize].2).map(<[u32]>::to_vec);
        assert_eq!(between(&index, 6, 15), [vec![0, 2, 3], Vec::new()]);
        assert_eq!(between(&index, 16, i64::MAX), [Vec::<u32>::new(), Vec::new()]);
        assert_eq!(between(&index, 0, 20), [vec![0, 2, 3], vec![4]]);
        rows[3].1 = 7;
        let index = index.again(|i| (rows[i as usize].0, rows[i as usize].1));
        assert_eq!(of(&index, &rows, (0, 7)), [4, 3, 2, 0]);
        assert_eq!(index.between(0, 6, 15, |i| rows[i as usize].2), [&[0, 2, 3][..], &[]]);
    }
}
