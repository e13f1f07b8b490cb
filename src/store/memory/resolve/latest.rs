//! The value of an attribute for every user, as codes of a dictionary; of few values also the sets of users up to
//! each, so that a range of values is the difference of two.

use std::sync::Arc;

use super::super::attributes::{Table, value_at};
use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::column::Column;
use super::super::kernel;
use super::super::snapshot::Snapshot;
use super::cache::{Carried, Index};
use super::filter::Passing;
use crate::limits::SMALL;
use crate::plan::test::BoundTest;

/// The values of users who have had a write since the index was made are kept apart up to so many.
const APART: usize = if SMALL { 2 } else { 1 << 12 };

/// Most values of which sets of users are kept.
const FEW: usize = if SMALL { 4 } else { 64 };

/// The values of one attribute at one instant.
#[derive(Clone, Debug)]
pub(super) struct LatestValues {
    made: Arc<Made>,
    /// What is so instead, by user.
    since: Vec<(u32, Cell)>,
}

#[derive(Clone, Debug)]
struct Made {
    /// One entry a user.
    column: Column,
    /// By code, where there are few: the users with that one or a lower.
    up_to: Vec<Vec<u64>>,
}

impl Made {
    fn new(column: Column) -> Self {
        let (users, values) = (column.len(), column.dict().len());
        let mut up_to = Vec::new();
        if values <= FEW {
            up_to = vec![vec![0u64; users.div_ceil(64)]; values];
            for user in 0..users {
                up_to[column.codes().get(user) as usize][user / 64] |= 1 << (user % 64);
            }
            for i in 1..values {
                let (before, after) = up_to.split_at_mut(i);
                kernel::or(&mut after[0], &before[i - 1]);
            }
        }
        Self { column, up_to }
    }

    fn memory(&self) -> usize {
        self.column.memory() + self.up_to.iter().map(|set| set.capacity() * 8 + 24).sum::<usize>()
    }

    fn passing(&self, passing: &Passing) -> Vec<u64> {
        let users = self.column.len();
        match passing {
            Passing::Runs(runs) if !self.up_to.is_empty() => {
                let mut words = vec![0; users.div_ceil(64)];
                for &(low, high) in runs {
                    let below = low.checked_sub(1).and_then(|code| self.up_to.get(code as usize));
                    let until = self.up_to.get(high as usize);
                    until.into_iter().chain(below).for_each(|set| kernel::xor(&mut words, set));
                }
                words
            }
            _ => {
                let mut words = Vec::new();
                passing.mask(self.column.codes(), 0..users, &mut words);
                words
            }
        }
    }

    /// Lets go what a user has, and what no one has any more.
    fn erase(&mut self, user: Option<usize>) {
        if let Some(user) = user {
            let code = self.column.codes().get(user) as usize;
            self.column.blank(user..user + 1);
            let below = self.up_to.iter_mut().take(code);
            below.for_each(|set| set[user / 64] |= 1 << (user % 64));
        }
        self.column.sweep();
    }
}

impl LatestValues {
    pub(super) fn new(table: &Table, users: usize, at: i64) -> Self {
        let mut cells = vec![Cell::Missing; users];
        for (user, writes) in table.iter() {
            if let Some(cell) = cells.get_mut(user as usize) {
                *cell = value_at(writes, at);
            }
        }
        Self { made: Arc::new(Made::new(Column::new(&cells))), since: Vec::new() }
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
        all.extend(written.iter().map(|&user| (user, table.value_of(user, at))));
        all.sort_by_key(|(user, _)| *user);
        if all.len() <= APART {
            return Carried::New(Self { made: Arc::clone(&self.made), since: all });
        }
        match self.made.column.with(&all, users) {
            Some(column) => Carried::New(Self { made: Arc::new(Made::new(column)), since: Vec::new() }),
            None if all.len() <= users / 16 => {
                Carried::New(Self { made: Arc::clone(&self.made), since: all })
            }
            None => Carried::Lost,
        }
    }

    /// The users whose value passes.
    pub(super) fn passing(&self, store: &Snapshot, test: &BoundTest<'_>) -> Bits {
        let passes = |&cell: &Cell| test.passes(store.value(cell));
        let (column, made) = (&self.made.column, self.made.column.len());
        let passing = Passing::new(column.dict().iter().map(passes).collect());
        let mut bits = Bits::from_words(self.made.passing(&passing));
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
        let (user, column) = (user as usize, &self.made.column);
        let (is_in, is_stale) = (user < column.len(), column.is_stale());
        if is_stale || is_in && column.get(user) != Cell::Missing {
            Arc::make_mut(&mut self.made).erase(is_in.then_some(user));
        }
    }

    #[cfg(test)]
    fn says(&self, user: u32) -> bool {
        let column = &self.made.column;
        (user as usize) < column.len() && column.get(user as usize) != Cell::Missing
            || self.since.iter().any(|(of, _)| *of == user)
    }
}
