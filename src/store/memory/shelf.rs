//! A shelf: the sealed events of one name.

use std::sync::Arc;

use super::cell::Cell;
use super::part::{Part, Row, bucket_of};
use super::tail::OwnedRow;

/// The parts of one name, by bucket; within a bucket in order of sealing, each less than half the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    parts: Vec<Arc<Part>>,
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

    /// Adds a part behind those of its bucket, then merges the last two of the bucket until each is less than
    /// half the one before: an event is copied a logarithm of times in its life.
    pub(crate) fn add(&mut self, part: Part, is_alive: &dyn Fn(u32) -> bool) {
        let mut end = self.parts.partition_point(|have| have.bucket() <= part.bucket());
        self.parts.insert(end, Arc::new(part));
        end += 1;
        while let Some([a, b]) = end.checked_sub(2).and_then(|start| self.parts.get(start..end))
            && a.bucket() == b.bucket()
            && b.len() * 2 > a.len()
        {
            self.merge_last(&mut end, is_alive);
        }
    }

    /// Merges the two parts before `end`, which are of one bucket.
    fn merge_last(&mut self, end: &mut usize, is_alive: &dyn Fn(u32) -> bool) {
        let merged = Part::merge(&self.parts[*end - 2], &self.parts[*end - 1], is_alive);
        self.parts.splice(*end - 2..*end, [Arc::new(merged)]);
        *end -= 1;
    }

    /// Leaves one part a bucket, without the rows of users who are gone.
    pub(crate) fn compact(&mut self, is_alive: &dyn Fn(u32) -> bool) {
        let mut end = self.parts.len();
        while end >= 2 {
            if self.parts[end - 2].bucket() == self.parts[end - 1].bucket() {
                self.merge_last(&mut end, is_alive);
            } else {
                end -= 1;
            }
        }
        let alive = |part: Arc<Part>| part.filter(|user, _| is_alive(user), &mut |_| {}).or(part);
        self.parts = std::mem::take(&mut self.parts).into_iter().filter_map(alive).collect();
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

    /// Drops the rows of a user who is gone: wiped at once where they lie, away when their part is merged.
    pub(crate) fn wipe(&mut self, user: u32) {
        for part in self.parts.iter_mut().filter(|part| !part.rows_of(user).is_empty()) {
            Arc::make_mut(part).wipe(user);
        }
    }

    pub(crate) fn holds(&self, user: u32) -> bool {
        self.parts.iter().any(|part| !part.rows_of(user).is_empty())
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

    /// Seals rows, sorted by (bucket, user, at, tie).
    pub(crate) fn seal(&mut self, rows: &[Row<'_>], is_alive: &dyn Fn(u32) -> bool) {
        for rows in rows.chunk_by(|a, b| bucket_of(a.at) == bucket_of(b.at)) {
            if let Some(first) = rows.first() {
                self.add(Part::new(bucket_of(first.at), rows), is_alive);
            }
        }
    }
}
