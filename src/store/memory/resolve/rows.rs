//! Users and instants of the events of some names, sealed or not: what indexes are made of.

use super::super::part::{Part, bucket_of};
use super::super::snapshot::Snapshot;
use crate::plan::bounds::Bounds;

/// The events of some names in a range, bucket by bucket.
pub(super) struct Rows<'a> {
    range: Bounds,
    /// By bucket.
    parts: Vec<&'a Part>,
    /// Those of the tail: bucket, user, instant; sorted.
    tail: Vec<(i32, u32, i64)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(store: &'a Snapshot, names: &[u32], range: Bounds) -> Self {
        let mut parts: Vec<&Part> = store.parts_of_names(names, range).collect();
        parts.sort_by_key(|part| part.bucket());
        let rows = names.iter().flat_map(|&name| store.tail.rows_of_name(name));
        let rows = rows.filter(|row| range.contains(row.at));
        let mut tail: Vec<_> = rows.map(|row| (bucket_of(row.at), row.user, row.at)).collect();
        tail.sort_unstable();
        Self { range, parts, tail }
    }

    /// The buckets that have events, in order.
    pub(super) fn buckets(&self) -> Vec<i32> {
        let parts = self.parts.iter().map(|part| part.bucket());
        let mut buckets: Vec<i32> = parts.chain(self.tail.iter().map(|(bucket, ..)| *bucket)).collect();
        buckets.sort_unstable();
        buckets.dedup();
        buckets
    }

    /// How many events there are, those outside the range but in its parts included.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum::<usize>() + self.tail.len()
    }

    /// The events of the users of one block in one bucket, as low half and instant. Whether they come from more
    /// than one place, and are not sorted then.
    pub(super) fn of(&self, bucket: i32, high: u16, rows: &mut Vec<(u16, i64)>) -> bool {
        rows.clear();
        let start = self.parts.partition_point(|part| part.bucket() < bucket);
        let parts = self.parts.get(start..).unwrap_or_default();
        let mut sources = 0;
        for part in parts.iter().take_while(|part| part.bucket() == bucket) {
            let Some(block) = part.block(high) else { continue };
            let users = part.users().get(block.rows()).unwrap_or_default();
            let of_part = users.iter().zip(block.rows()).map(|(&low, row)| (low, part.at(row)));
            rows.extend(of_part.filter(|(_, at)| self.range.contains(*at)));
            sources += 1;
        }
        let base = u32::from(high) << 16;
        let start = self.tail.partition_point(|(of, user, _)| (*of, *user) < (bucket, base));
        let tail = self.tail.get(start..).unwrap_or_default();
        let tail = tail.iter().take_while(|(of, user, _)| *of == bucket && user >> 16 == u32::from(high));
        #[allow(clippy::cast_possible_truncation)] // the low half
        rows.extend(tail.map(|(_, user, at)| (*user as u16, *at)));
        sources > 1 || (sources == 1 && start < self.tail.len())
    }
}
