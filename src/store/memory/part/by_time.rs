//! The rows of a part by time.

use std::sync::OnceLock;

use super::super::slots::Slots;
use super::Part;
use crate::plan::bounds::Bounds;

/// Rows that are looked up together, so that the processor waits for many at once.
const TOGETHER: usize = 64;

impl Part {
    /// The rows whose instants lie inside, in no order: instants and users.
    pub(crate) fn events_between(&self, inside: Bounds, visit: &mut dyn FnMut(i64, u32)) {
        let Some(slots) = self.ordered() else {
            let rows = (0..self.len()).filter(|row| inside.contains(self.at(*row)));
            return rows.for_each(|row| visit(self.at(row), self.user(row)));
        };
        for rows in slots.between(self.coarse_of(inside.lo), self.coarse_of(inside.hi)).chunks(TOGETHER) {
            let (mut instants, lows) = ([0; TOGETHER], self.low_halves(rows));
            instants.iter_mut().zip(rows).for_each(|(at, row)| *at = self.at(*row as usize));
            for ((at, low), row) in instants.into_iter().zip(lows).zip(rows) {
                if inside.contains(at) {
                    visit(at, self.high(*row as usize) << 16 | u32::from(low));
                }
            }
        }
    }

    /// The low halves of the users of up to [`TOGETHER`] rows.
    fn low_halves(&self, rows: &[u32]) -> [u16; TOGETHER] {
        let mut lows = [0; TOGETHER];
        lows.iter_mut().zip(rows).for_each(|(low, row)| *low = self.users[*row as usize]);
        lows
    }

    /// The users of the rows whose instants lie inside, row by row, in no order: of most of them no instant is looked at.
    pub(crate) fn users_between(&self, inside: Bounds, visit: &mut dyn FnMut(u32)) {
        let Some(slots) = self.ordered() else {
            let rows = (0..self.len()).filter(|row| inside.contains(self.at(*row)));
            return rows.for_each(|row| visit(self.user(row)));
        };
        let (lo, hi) = (self.coarse_of(inside.lo), self.coarse_of(inside.hi));
        let (ends, surely) = slots.ends_and_inside(lo, hi);
        let ends = ends.into_iter().flatten().filter(|row| inside.contains(self.at(**row as usize)));
        ends.for_each(|row| visit(self.user(*row as usize)));
        for rows in surely.chunks(TOGETHER) {
            for (low, row) in self.low_halves(rows).into_iter().zip(rows) {
                visit(self.high(*row as usize) << 16 | u32::from(low));
            }
        }
    }

    /// The coarse half of an instant, or of the end of the bucket nearest to it.
    fn coarse_of(&self, at: i64) -> u16 {
        let (start, end) = self.span();
        let within = at.clamp(start, end) & 0xffff_ffff;
        u16::try_from(within >> 16).unwrap_or(u16::MAX)
    }

    /// Rows by time, where there are enough of them.
    fn ordered(&self) -> Option<&Slots> {
        (self.len() >= Slots::WORTH).then(|| self.slots.get_or_init(|| Slots::new(&self.coarse)))
    }

    /// Makes ready to tell rows by time, which the first who asks does otherwise.
    pub(crate) fn order_by_time(&self) {
        self.ordered();
    }

    /// Rows by time, where that has been asked for.
    pub(in crate::store::memory) fn slots(&self) -> &OnceLock<Slots> {
        &self.slots
    }
}
