//! What tallies count beyond the greatest number that a row can tell: few users have so many.

use super::rows::add_room;

/// Users of a list: so few that mostly one line of the processor's cache holds it.
const SOME: u32 = 1 << (u32::BITS - GROUP);
/// Bits of a group's number: no plan comes near so many.
const GROUP: u32 = 23;

/// Counts of a line of the processor's cache.
const LINE: usize = 64 / size_of::<Count>();

/// By user and group, in order, a list for some users; in place of a hash table for the room that those leave.
#[derive(Clone, Debug, Default)]
pub(super) struct Beyond(Vec<Vec<Count>>);

/// Which user of its list and which group, and how many.
type Count = (u32, u32);

impl Beyond {
    pub(super) fn get(&self, user: u32, group: u32) -> u32 {
        let list = self.0.get((user / SOME) as usize).map_or(&[][..], Vec::as_slice);
        place(list, user, group).map_or(0, |place| list[place].1)
    }

    /// Something of a user's list, of no meaning: what matters is that the lines about its place have been looked at.
    #[inline]
    pub(super) fn peek(&self, user: u32) -> u32 {
        let list = self.0.get((user / SOME) as usize).map_or(&[][..], Vec::as_slice);
        // Users are spread evenly over a list.
        let about = list.len() * (user % SOME) as usize / SOME as usize;
        let near = [about.saturating_sub(LINE), about, about + LINE];
        near.iter().filter_map(|place| list.get(*place)).fold(0, |seen, (_, count)| seen ^ count)
    }

    pub(super) fn set(&mut self, user: u32, group: u32, count: u32) {
        let list = (user / SOME) as usize;
        add_room(&mut self.0, list + 1);
        let list = &mut self.0[list];
        match (place(list, user, group), count) {
            (Ok(place), 0) => _ = list.remove(place),
            (Ok(place), _) => list[place].1 = count,
            (Err(_), 0) => {}
            (Err(place), _) => {
                if list.len() == list.capacity() {
                    list.reserve_exact(1 + list.len() / 8);
                }
                list.insert(place, (key(user, group), count));
            }
        }
    }

    /// The same of other groups, where `place` tells.
    pub(super) fn carried(self, place: impl Fn(u32) -> Option<u32>) -> Self {
        let mut carried = Self::default();
        for (first, list) in (0..).step_by(SOME as usize).zip(self.0) {
            for (key, count) in list {
                if let Some(group) = place(key % (1 << GROUP)) {
                    carried.set(first + (key >> GROUP), group, count);
                }
            }
        }
        carried
    }

    pub(super) fn memory(&self) -> usize {
        let lists: usize = self.0.iter().map(|list| list.capacity() * size_of::<Count>()).sum();
        lists + self.0.capacity() * size_of::<Vec<Count>>()
    }
}

fn place(list: &[Count], user: u32, group: u32) -> Result<usize, usize> {
    list.binary_search_by_key(&key(user, group), |(key, _)| *key)
}

fn key(user: u32, group: u32) -> u32 {
    (user % SOME) << GROUP | group
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn counts_are_told_as_they_were_set(
            changes in prop::collection::vec((0..3 * SOME, 0..3_u32, 0..3_u32, 0..40_u32), 0..300),
        ) {
            let (mut beyond, mut model) = (Beyond::default(), BTreeMap::new());
            for (user, group, count, near) in changes {
                // Some of them again and again.
                let user = if near < 20 { near * SOME / 10 } else { user };
                beyond.set(user, group, count);
                model.insert((user, group), count);
            }
            for ((user, group), count) in &model {
                prop_assert_eq!(beyond.get(*user, *group), *count);
            }
            let carried = beyond.carried(|group| group.checked_sub(1));
            for ((user, group), count) in model.into_iter().filter(|((_, group), _)| *group > 0) {
                prop_assert_eq!(carried.get(user, group - 1), count);
            }
        }
    }
}
