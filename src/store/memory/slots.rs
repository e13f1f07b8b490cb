//! The rows of a part by time, roughly: what a stretch of time needs to look at.

/// The bits of a coarse instant that are left out: slots of 2^20 ms, about a quarter of an hour.
const SHIFT: u32 = 4;

/// Rows grouped by slots of time, in no order within.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    /// Where the rows of each slot begin, and where the last ends.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Slots {
    /// Rows from which on slots are worth their room.
    pub(super) const WORTH: usize = 512;

    /// Groups rows by the coarse halves of their instants.
    pub(super) fn new(coarse: &[u16]) -> Self {
        let mut starts = vec![0_u32; (1 << (16 - SHIFT)) + 1];
        for code in coarse {
            starts[usize::from(code >> SHIFT) + 1] += 1;
        }
        for slot in 1..starts.len() {
            starts[slot] += starts[slot - 1];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; coarse.len()];
        for (row, code) in (0..).zip(coarse) {
            let place = &mut next[usize::from(code >> SHIFT)];
            rows[*place as usize] = row;
            *place += 1;
        }
        Self { starts, rows }
    }

    /// The rows of all slots that the range of coarse instants touches, both ends included.
    pub(super) fn between(&self, lo: u16, hi: u16) -> &[u32] {
        let start = self.starts[usize::from(lo >> SHIFT)];
        let end = self.starts[usize::from(hi >> SHIFT) + 1];
        self.rows.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn memory(&self) -> usize {
        (self.starts.capacity() + self.rows.capacity()) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_hold_every_row_of_the_range() {
        let coarse: Vec<u16> = (0..5_000_u32).map(|i| (i * 7_919 % 65_536) as u16).collect();
        let slots = Slots::new(&coarse);
        for (lo, hi) in [(0, 0), (17, 1_000), (65_535, 65_535), (0, u16::MAX)] {
            let found = slots.between(lo, hi);
            let want = (0..).zip(&coarse).filter(|(_, code)| (lo..=hi).contains(*code));
            assert!(want.map(|(row, _): (u32, _)| row).all(|row| found.contains(&row)));
        }
        assert_eq!(slots.between(0, u16::MAX).len(), coarse.len());
    }
}
