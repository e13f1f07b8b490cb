//! How many facts hold each text and list, so that one which nobody holds any more is erased at once.

use super::cell::Cell;

/// The writer's count of the facts that hold a cell of [`Values`](super::cell::Values).
#[derive(Debug, Default)]
pub(crate) struct Held {
    texts: Vec<u32>,
    lists: Vec<u32>,
}

impl Held {
    fn count(&mut self, cell: Cell) -> Option<&mut u32> {
        let (counts, number) = match cell {
            Cell::Text(number) => (&mut self.texts, number as usize),
            Cell::Many(number) => (&mut self.lists, number as usize),
            _ => return None,
        };
        if number >= counts.len() {
            counts.resize(number + 1, 0);
        }
        counts.get_mut(number)
    }

    /// One more fact holds the cell.
    pub(crate) fn take(&mut self, cell: Cell) {
        if let Some(count) = self.count(cell) {
            *count = count.saturating_add(1);
        }
    }

    /// One fact less; whether it was the last. A count that ever reached its limit stays there.
    pub(crate) fn release(&mut self, cell: Cell) -> bool {
        match self.count(cell) {
            Some(count) if ![0, u32::MAX].contains(count) => {
                *count -= 1;
                *count == 0
            }
            _ => false,
        }
    }

    /// The counts above 0, of texts and of lists.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> std::collections::BTreeMap<(bool, u32), u32> {
        let texts = (0u32..).zip(&self.texts).map(|(number, count)| ((true, number), *count));
        let lists = (0u32..).zip(&self.lists).map(|(number, count)| ((false, number), *count));
        texts.chain(lists).filter(|(_, count)| *count > 0).collect()
    }

    pub(crate) fn memory(&self) -> usize {
        (self.texts.capacity() + self.lists.capacity()) * 4
    }
}
