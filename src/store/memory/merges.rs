//! Merges of parts that are due, done a slice at a time between events, so that no event waits for a whole one.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::merging::Merging;
use super::part::Part;
use super::shelf::Shelf;
use crate::limits::SMALL;

/// Rows merged for each event that arrives, while merges are due: more than ever become due for one.
const ROWS_AN_EVENT: usize = 32;
/// Rows of a slice, which is done in some ten microseconds.
const SLICE: usize = if SMALL { 3 } else { 1 << 8 };

/// A shelf by its name, and a bucket of it.
type Place = (u32, i32);

/// What is due, and what is under way.
#[derive(Debug, Default)]
pub(crate) struct Merges {
    due: VecDeque<Place>,
    /// Of which shelf and bucket, where in the bucket the parts are, and how far it is.
    current: Option<(Place, Range<usize>, Merging)>,
    /// Rows that may be merged at once.
    rows: usize,
}

impl Merges {
    /// Parts of a bucket may have to be merged.
    pub(crate) fn add(&mut self, name: u32, bucket: i32) {
        let place = (name, bucket);
        if !self.due.contains(&place) {
            self.due.push_back(place);
        }
    }

    /// An event has arrived.
    pub(crate) fn advance(&mut self, shelves: &mut Arc<Vec<Arc<Shelf>>>, is_alive: &dyn Fn(u32) -> bool) {
        if self.current.is_none() && self.due.is_empty() {
            return;
        }
        self.rows += ROWS_AN_EVENT;
        if self.rows >= SLICE {
            let mut left = std::mem::take(&mut self.rows);
            while left > 0 && (self.current.is_some() || self.begin(shelves)) {
                self.step(shelves, &mut left, is_alive);
            }
        }
    }

    /// Begins the next merge that is due, if there is one.
    fn begin(&mut self, shelves: &[Arc<Shelf>]) -> bool {
        while let Some(place @ (name, bucket)) = self.due.pop_front() {
            let Some(shelf) = shelves.get(name as usize) else { continue };
            let due = shelf.due(bucket).and_then(|due| Some((shelf.neighbours(bucket, due.clone())?, due)));
            if let Some((parts, due)) = due {
                self.current = Some((place, due, Merging::new(&parts)));
                return true;
            }
        }
        false
    }

    fn step(&mut self, shelves: &mut Arc<Vec<Arc<Shelf>>>, left: &mut usize, is_alive: &dyn Fn(u32) -> bool) {
        let parts = self.parts(shelves);
        if parts.is_empty() {
            self.current = None;
            return;
        }
        let Some((_, _, merging)) = &mut self.current else { return };
        if merging.step(&parts, left, is_alive)
            && let Some(((name, bucket), places, merging)) = self.current.take()
            && let Some(shelf) = Arc::make_mut(shelves).get_mut(name as usize)
        {
            Arc::make_mut(shelf).join(bucket, places, merging.finish());
            self.due.push_back((name, bucket));
        }
    }

    /// The parts of the merge under way; none where there is none, or where they are gone.
    fn parts<'s>(&self, shelves: &'s [Arc<Shelf>]) -> Vec<&'s Part> {
        let Some(((name, bucket), places, _)) = &self.current else { return Vec::new() };
        let shelf = shelves.get(*name as usize);
        shelf.and_then(|shelf| shelf.neighbours(*bucket, places.clone())).unwrap_or_default()
    }

    /// The rows of a user will be wiped: so are those that a merge has copied.
    pub(crate) fn wipe(&mut self, user: u32, shelves: &[Arc<Shelf>]) {
        let is_in = self.parts(shelves).iter().any(|part| !part.rows_of(user).is_empty());
        if let Some((_, _, merging)) = self.current.as_mut().filter(|_| is_in) {
            merging.wipe(user);
        }
    }

    /// All is to be erased that rows of a user say, and that rows of those merged into it have said: a merge that may hold of
    /// that is finished before.
    pub(crate) fn finish_with(
        &mut self,
        user: u32,
        all: &[u32],
        shelves: &mut Arc<Vec<Arc<Shelf>>>,
        is_alive: &dyn Fn(u32) -> bool,
    ) {
        if self.parts(shelves).into_iter().any(|part| part.tells_of(all)) {
            // with the user, so that wiping finds what has been copied
            let mut left = usize::MAX;
            while self.current.is_some() {
                self.step(shelves, &mut left, &|other| other == user || is_alive(other));
            }
        }
    }

    /// The parts of shelves change otherwise: what is under way is dropped, to begin again.
    pub(crate) fn start_over(&mut self) {
        if let Some((place, ..)) = self.current.take() {
            self.due.push_front(place);
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.current.as_ref().map_or(0, |(_, _, merging)| merging.memory())
            + self.due.capacity() * size_of::<Place>()
    }
}

#[cfg(test)]
mod tests {
    use crate::event::Event;
    use crate::plan::bounds::Bounds;
    use crate::store::Ingest;
    use crate::store::memory::MemoryStore;
    use crate::store::memory::shelf::FULL;
    use crate::time::Timestamp;

    /// A bucket of time.
    const BUCKET: i64 = 1 << 32;

    #[test]
    fn parts_stay_few_while_events_arrive() {
        let mut store = MemoryStore::new().seal_after(8);
        let mut most = 0;
        for i in 0..20_000 {
            // two names, an event in a hundred late
            let at = if i % 100 == 0 { i * BUCKET / 20_000 } else { BUCKET * (i / 5_000) + i };
            let user = format!("u{}", i * 7_919 % 501);
            let event = Event::new(user, ["a", "b"][(i % 2) as usize], Timestamp::from_millis(at));
            store.record(event.with("n", i % 13)).unwrap();
            most = most.max(store.state.shelves.iter().map(|shelf| shelf.parts().len()).max().unwrap_or(0));
        }
        // four alike a level of a bucket, some that wait, and buckets of the past in one or two
        assert!(most < 48, "{most} parts");
        let snapshot = store.snapshot();
        assert_eq!(snapshot.event_count(), 20_000);
        let parts = || snapshot.shelves.iter().flat_map(|shelf| shelf.parts());
        for part in parts() {
            let users: Vec<u32> = (0..part.len()).map(|row| part.user(row)).collect();
            let rows: Vec<_> =
                users.iter().zip((0..part.len()).map(|row| (part.at(row), part.tie(row)))).collect();
            assert!(rows.is_sorted());
            assert!((0..part.len()).all(|row| part.properties(row).count() == 1));
        }
        store.compact();
        let after: Vec<usize> = store.state.shelves.iter().map(|shelf| shelf.parts().len()).collect();
        assert_eq!(after, [4, 4]);
        assert_eq!(store.state.event_count(), 20_000);
    }

    #[test]
    fn parts_that_are_full_stay_as_they_are() {
        let mut store = MemoryStore::new().seal_after(8);
        for i in 0..41_000 {
            // a thousand events of the next bucket, so that all merges come to their end
            let at = if i < 40_000 { i } else { BUCKET + i };
            store
                .record(Event::new(format!("u{}", i * 7_919 % 501), "a", Timestamp::from_millis(at)))
                .unwrap();
        }
        let parts = store.state.shelves.iter().flat_map(|shelf| shelf.parts());
        let of_first = parts.filter(|part| part.bucket() == 0).map(|part| part.len());
        let sizes: Vec<usize> = of_first.collect();
        assert_eq!(sizes.iter().sum::<usize>(), 40_000);
        // four that were not full yet are at most as large as four that almost were, and the last takes what is left
        assert!(sizes.iter().all(|size| *size < 4 * FULL), "{sizes:?}");
        assert!(sizes[..sizes.len() - 1].iter().all(|size| *size >= FULL), "{sizes:?}");
    }

    #[test]
    fn a_full_part_is_written_anew_when_many_of_its_users_have_been_merged() {
        let mut store = MemoryStore::new().seal_after(8);
        let record = |store: &mut MemoryStore, user: &str, i| {
            store.record(Event::new(user, "a", Timestamp::from_millis(i)).with("n", i)).unwrap();
        };
        (0..8_000).for_each(|i| record(&mut store, &format!("0-{}", i % 500), i));
        for round in 0..6 {
            for user in 0..500 {
                store.merge(&format!("{round}-{user}"), &format!("{}-{user}", round + 1)).unwrap();
                record(&mut store, "bob", 10_000 + round * 500 + user);
            }
        }
        (0..2_000).for_each(|i| record(&mut store, "bob", 20_000 + i));
        let parts = || store.state.shelves.iter().flat_map(|shelf| shelf.parts());
        let rows: usize = parts().map(|part| part.len()).sum();
        let values: usize = parts().filter_map(|part| part.column(0)).map(|column| column.dict().len()).sum();
        assert_eq!(store.state.event_count(), 13_000);
        assert!(rows < 18_000 && values < 18_000, "{rows} rows, {values} values");
    }

    #[test]
    fn merged_rows_are_found_by_time_at_once() {
        let mut store = MemoryStore::new().seal_after(600);
        store.keep_index();
        for i in 0..20_000_i64 {
            let (user, at) = (format!("u{}", i * 7_919 % 501), i * 40_000 - i % 50 * 90_000);
            store.record(Event::new(user, "a", Timestamp::from_millis(at + BUCKET))).unwrap();
            if i % 997 == 996 {
                let from = i / 997;
                store.merge(&format!("u{from}"), &format!("u{}", from + 100)).unwrap();
            }
        }
        let is_there = |user: u32| store.state.users.is_alive(user);
        let parts = || store.state.shelves.iter().flat_map(|shelf| shelf.parts());
        let ordered = parts().filter(|part| part.slots().get().is_some());
        assert!(ordered.map(|part| part.len()).max() > Some(9_000));
        for part in parts() {
            for (lo, hi) in [(0, 9_000_000), (300_000_000, 300_000_001), (400_000_000, i64::MAX - BUCKET)] {
                let inside = Bounds { lo: lo + BUCKET, hi: hi + BUCKET };
                let all = (0..part.len()).map(|row| (part.at(row), part.user(row)));
                let inside_of = |(at, user): &(i64, u32)| inside.contains(*at) && is_there(*user);
                let mut expected: Vec<_> = all.filter(inside_of).collect();
                let (mut found, mut users) = (Vec::new(), Vec::new());
                part.events_between(inside, &mut |at, user| found.push((at, user)));
                part.users_between(inside, &mut |user| users.push(user));
                found.retain(|(_, user)| is_there(*user));
                users.retain(|user| is_there(*user));
                found.sort_unstable();
                expected.sort_unstable();
                assert_eq!(found, expected);
                users.sort_unstable();
                expected.sort_unstable_by_key(|(_, user)| *user);
                assert!(users.into_iter().eq(expected.into_iter().map(|(_, user)| user)));
            }
        }
    }

    /// At any time before, within and after the merge of four parts of 64 rows.
    #[test]
    fn nothing_is_left_of_users_who_were_several_while_parts_are_merged() {
        for (before, between) in (244..276).flat_map(|before| (0..24).map(move |between| (before, between))) {
            let mut store = MemoryStore::new().seal_after(4);
            let record = |store: &mut MemoryStore, user: &str, i| {
                let event = Event::new(user, "a", Timestamp::from_millis(i)).with("number", 770_000 + i);
                store.record(event).unwrap();
            };
            record(&mut store, "visitor", 0);
            (1..before).for_each(|i| record(&mut store, "bob", i));
            store.merge("visitor", "ada").unwrap();
            (before..before + between).for_each(|i| record(&mut store, "bob", i));
            store.forget("ada").unwrap();
            let all = format!("{store:?}");
            assert!(all.contains("Int(770001)") && !all.contains("Int(770000)"), "{before}, then {between}");
        }
    }

    #[test]
    fn users_who_are_forgotten_during_a_merge_are_not_in_it() {
        let mut store = MemoryStore::new().seal_after(4);
        for i in 0..600 {
            let event = Event::new(format!("u{}", i % 40), "a", Timestamp::from_millis(i));
            store.record(event.with("text", format!("of u{} no. {i}", i % 40))).unwrap();
            if i % 10 == 9 {
                store.forget(&format!("u{}", i / 10 % 40)).unwrap();
                let all = format!("{store:?}");
                assert!(!all.contains(&format!("of u{} no", i / 10 % 40)), "{i}");
            }
        }
    }
}
