//! The rows of a part by time, roughly: what a stretch of time needs to look at.

/// Rows a slot of time, about.
const A_SLOT: usize = 16;

/// Rows grouped by slots of time, in no order within.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    /// The earliest and the latest coarse instant of a row.
    first: u16,
    last: u16,
    /// The bits of a coarse instant that tell nothing about its slot.
    shift: u32,
    /// Where the rows of each slot begin, and where the last ends.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Slots {
    /// Rows from which on slots are worth their room.
    pub(super) const WORTH: usize = 512;

    /// Groups rows by the coarse halves of their instants.
    pub(super) fn new(coarse: &[u16]) -> Self {
        let first = coarse.iter().copied().min().unwrap_or(0);
        let last = coarse.iter().copied().max().unwrap_or(0);
        let most = coarse.len() / A_SLOT;
        let shift = (0..u16::BITS).find(|shift| usize::from((last - first) >> shift) < most);
        let shift = shift.unwrap_or(u16::BITS - 1);
        let slot = |code: u16| usize::from((code - first) >> shift);
        let mut starts = vec![0_u32; slot(last) + 2];
        for code in coarse {
            starts[slot(*code) + 1] += 1;
        }
        for slot in 1..starts.len() {
            starts[slot] += starts[slot - 1];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; coarse.len()];
        for (row, code) in (0..).zip(coarse) {
            let place = &mut next[slot(*code)];
            rows[*place as usize] = row;
            *place += 1;
        }
        Self { first, last, shift, starts, rows }
    }

    /// The rows of all slots that the range of coarse instants touches, both ends included.
    pub(super) fn between(&self, lo: u16, hi: u16) -> &[u32] {
        if hi < self.first || lo > self.last {
            return &[];
        }
        let slot = |code: u16| usize::from((code.clamp(self.first, self.last) - self.first) >> self.shift);
        let (start, end) = (self.starts[slot(lo)], self.starts[slot(hi) + 1]);
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
        assert!((1..100).contains(&slots.between(17, 17).len()));

        let few: Vec<u16> = coarse.iter().map(|code| 40_000 + code % 100).collect();
        let slots = Slots::new(&few);
        assert_eq!([(0, 39_999), (40_100, u16::MAX)].map(|(lo, hi)| slots.between(lo, hi).len()), [0; 2]);
        assert!((1..200).contains(&slots.between(40_099, u16::MAX).len()));
        assert_eq!(Slots::new(&[7; 600]).between(7, 7).len(), 600);
    }
}
