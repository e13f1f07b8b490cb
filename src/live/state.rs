//! What is known now, beyond the store.

use super::beyond::Beyond;
use super::marks::Marks;
use super::rows::Rows;
use super::universe::Universe;

/// Everything that is kept beyond the store.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) universe: Universe,
    /// The tallies and answers of each user.
    pub(super) rows: Rows,
    pub(super) beyond: Beyond,
    /// Of each kind of units that are counted.
    pub(super) marks: Vec<Marks>,
    /// How many members each segment has.
    pub(super) members: Vec<u64>,
}

impl State {
    /// A user entered a segment, or left it.
    pub(super) fn count(&mut self, segment: u32, entered: bool) {
        let Some(members) = self.members.get_mut(segment as usize) else { return };
        *members = if entered { *members + 1 } else { members.saturating_sub(1) };
    }

    pub(super) fn memory(&self) -> usize {
        self.rows.memory()
            + self.beyond.memory()
            + self.universe.memory()
            + self.members.capacity() * 8
            + self.marks.iter().map(Marks::memory).sum::<usize>()
    }
}
