//! The value of an attribute for every user, as codes of a dictionary.

use std::sync::Arc;

use super::super::attributes::{Table, value_at};
use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::column::Column;
use super::super::snapshot::Snapshot;
use super::cache::{Carried, Index};
use super::filter::Passing;
use crate::plan::test::BoundTest;

/// The values of users who have had a write since the index was made are kept apart up to so many.
const APART: usize = if cfg!(test) { 2 } else { 1 << 12 };

/// The values of one attribute at one instant.
#[derive(Clone, Debug)]
pub(super) struct LatestValues {
    /// One entry a user.
    made: Arc<Column>,
    /// What is so instead, by user.
    since: Vec<(u32, Cell)>,
}

impl LatestValues {
    pub(super) fn new(table: &Table, users: usize, at: i64) -> Self {
        let mut cells = vec![Cell::Missing; users];
        for (user, writes) in table.iter() {
            if let Some(cell) = cells.get_mut(user as usize) {
                *cell = value_at(writes, at);
            }
        }
        Self { made: Arc::new(Column::new(&cells)), since: Vec::new() }
    }

    /// With the writes of the log since a position.
    pub(super) fn carried(&self, table: &Table, users: usize, at: i64, since: u64) -> Carried<Self> {
        let Some(written) = table.log().since(since) else { return Carried::Lost };
        let mut written: Vec<u32> = written.collect();
        written.sort_unstable();
        written.dedup();
        if written.is_empty() {
            return Carried::Same;
        }
        let is_again = |user: u32| written.binary_search(&user).is_ok();
        let mut all: Vec<_> = self.since.iter().copied().filter(|(user, _)| !is_again(*user)).collect();
        all.extend(written.iter().map(|&user| (user, value_at(table.writes_of(user), at))));
        all.sort_by_key(|(user, _)| *user);
        if all.len() <= APART {
            return Carried::New(Self { made: Arc::clone(&self.made), since: all });
        }
        match self.made.with(&all, users) {
            Some(made) => Carried::New(Self { made: Arc::new(made), since: Vec::new() }),
            None if all.len() <= users / 16 => {
                Carried::New(Self { made: Arc::clone(&self.made), since: all })
            }
            None => Carried::Lost,
        }
    }

    /// The users whose value passes.
    pub(super) fn passing(&self, store: &Snapshot, test: &BoundTest<'_>) -> Bits {
        let passes = |&cell: &Cell| test.passes(store.value(cell));
        let passing = Passing::new(self.made.dict().iter().map(passes).collect());
        let (mut words, made) = (Vec::new(), self.made.len());
        passing.mask(self.made.codes(), 0..made, &mut words);
        let mut bits = Bits::from_words(words);
        bits.grow(store.users.numbers());
        // who has come since has no value, unless it is said below
        if passes(&Cell::Missing) {
            (made..store.users.numbers())
                .for_each(|user| bits.insert(u32::try_from(user).unwrap_or(u32::MAX)));
        }
        self.since.iter().for_each(|(user, cell)| bits.set(*user, passes(cell)));
        bits
    }
}

impl Index for LatestValues {
    fn shared(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.made).addr(), self.made.memory())
    }

    fn own(&self) -> usize {
        self.since.capacity() * size_of::<(u32, Cell)>()
    }

    fn erase(&mut self, user: u32) {
        self.since.retain(|(of, _)| *of != user);
        if (user as usize) < self.made.len() && self.made.get(user as usize) != Cell::Missing {
            Arc::make_mut(&mut self.made).blank(user as usize..user as usize + 1);
        }
    }

    #[cfg(test)]
    fn says(&self, user: u32) -> bool {
        let is_known = (user as usize) < self.made.len();
        is_known && self.made.get(user as usize) != Cell::Missing
            || self.since.iter().any(|(of, _)| *of == user)
    }
}
