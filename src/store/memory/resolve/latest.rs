//! The value of an attribute for every user, as codes of a dictionary.

use super::super::attributes::{Table, value_at};
use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::column::Column;
use super::super::snapshot::Snapshot;
use super::filter::Passing;
use crate::plan::test::BoundTest;

/// The values of one attribute at one instant, one entry a user.
#[derive(Debug)]
pub(super) struct LatestValues {
    values: Column,
}

impl LatestValues {
    pub(super) fn new(table: &Table, users: usize, at: i64) -> Self {
        let mut cells = vec![Cell::Missing; users];
        for (user, writes) in table.iter() {
            if let Some(cell) = cells.get_mut(user as usize) {
                *cell = value_at(writes, at);
            }
        }
        Self { values: Column::new(&cells) }
    }

    /// The users whose value passes.
    pub(super) fn passing(&self, store: &Snapshot, test: &BoundTest<'_>) -> Bits {
        let passes = |&cell: &Cell| test.passes(store.value(cell));
        let passing = Passing::new(self.values.dict().iter().map(passes).collect());
        let mut words = Vec::new();
        passing.mask(self.values.codes(), 0..store.users.numbers(), &mut words);
        Bits::from_words(words)
    }

    pub(super) fn memory(&self) -> usize {
        self.values.memory()
    }
}
