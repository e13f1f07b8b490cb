//! The rows of a part by user.

use std::ops::Range;

use super::{Block, MARKED, Part};
use crate::plan::bounds::Bounds;

impl Part {
    /// The user of a row.
    pub(crate) fn user(&self, row: usize) -> u32 {
        self.high(row) << 16 | u32::from(self.users[row])
    }

    /// The high half of the user of a row.
    pub(super) fn high(&self, row: usize) -> u32 {
        let block = self.blocks.partition_point(|block| block.end as usize <= row);
        self.blocks.get(block).map_or(0, |block| u32::from(block.high))
    }

    pub(crate) fn block(&self, high: u16) -> Option<Block> {
        let i = self.blocks.binary_search_by_key(&high, |block| block.high).ok()?;
        self.blocks.get(i).copied()
    }

    /// The rows of a user.
    pub(crate) fn rows_of(&self, user: u32) -> Range<usize> {
        #[allow(clippy::cast_possible_truncation)] // halves
        let (high, low) = ((user >> 16) as u16, user as u16);
        let Some(block) = self.block(high) else { return 0..0 };
        let rows = self.near(&block, low);
        let start = rows.start + self.users[rows].partition_point(|&u| u < low);
        let from_here = &self.users[start..block.end as usize];
        let few = from_here.iter().take(MARKED).take_while(|&&u| u == low).count();
        let len = if few < MARKED { few } else { from_here.partition_point(|&u| u == low) };
        start..start + len
    }

    /// The rows of a user whose instants lie inside.
    pub(crate) fn rows_inside(&self, user: u32, inside: Bounds) -> Range<usize> {
        let rows = self.rows_of(user);
        let from = rows.start + self.rows_before(rows.clone(), inside.lo);
        let until = rows.start + self.rows_before(rows, inside.hi.saturating_add(1));
        from..until.max(from)
    }

    /// How many of the rows of one user come before an instant.
    fn rows_before(&self, rows: Range<usize>, at: i64) -> usize {
        if at <= self.first {
            return 0;
        }
        if at > self.last {
            return rows.len();
        }
        let (mut from, mut until) = (rows.start, rows.end);
        while from < until {
            let middle = from.midpoint(until);
            if self.at(middle) < at { from = middle + 1 } else { until = middle }
        }
        from - rows.start
    }

    /// Rows among which those of a low half begin.
    fn near(&self, block: &Block, low: u16) -> Range<usize> {
        let place = self.blocks.partition_point(|have| have.high < block.high);
        match self.marks.get(place).map(Vec::as_slice) {
            Some(marks @ [_, ..]) => {
                let mark = usize::from(low) / MARKED;
                let end = marks.get(mark + 1).copied().unwrap_or(block.end);
                marks.get(mark).copied().unwrap_or(block.end) as usize..end as usize
            }
            _ => block.rows(),
        }
    }
}
