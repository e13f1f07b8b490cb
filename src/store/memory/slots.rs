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
        let mut slots = Growing::new((first, last), coarse.len());
        slots.count(coarse);
        slots.counted();
        (0..).zip(coarse).for_each(|(row, code)| slots.put(row, *code));
        slots.finish()
    }

    fn slot(&self, code: u16) -> usize {
        usize::from((code.clamp(self.first, self.last) - self.first) >> self.shift)
    }

    /// The rows of all slots that the range of coarse instants touches, both ends included.
    pub(super) fn between(&self, lo: u16, hi: u16) -> &[u32] {
        if hi < self.first || lo > self.last {
            return &[];
        }
        let (start, end) = (self.starts[self.slot(lo)], self.starts[self.slot(hi) + 1]);
        self.rows.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The same rows: those of the slots at both ends, of which some may lie outside, and those of the slots between.
    pub(super) fn ends_and_inside(&self, lo: u16, hi: u16) -> ([&[u32]; 2], &[u32]) {
        if hi < self.first || lo > self.last {
            return ([&[]; 2], &[]);
        }
        let (first, last) = (self.slot(lo), self.slot(hi));
        let rows = |from: usize, to: usize| {
            let inside = self.starts[from] as usize..self.starts[to.max(from)] as usize;
            self.rows.get(inside).unwrap_or_default()
        };
        let end = rows(last, last + 1);
        ([rows(first, first + 1), if first < last { end } else { &[] }], rows(first + 1, last))
    }

    pub(super) fn memory(&self) -> usize {
        (self.starts.capacity() + self.rows.capacity()) * 4
    }
}

/// Slots of rows that are counted first, and then put in one after the other.
#[derive(Debug)]
pub(super) struct Growing {
    slots: Slots,
    /// Where the next row of each slot goes.
    next: Vec<u32>,
}

impl Growing {
    /// For so many rows between two coarse instants, both included.
    pub(super) fn new((first, last): (u16, u16), rows: usize) -> Self {
        let most = rows / A_SLOT;
        let shift = (0..u16::BITS).find(|shift| usize::from((last - first) >> shift) < most);
        let shift = shift.unwrap_or(u16::BITS - 1);
        let mut slots = Slots { first, last, shift, ..Slots::default() };
        slots.starts = vec![0; slots.slot(last) + 2];
        Self { slots, next: Vec::new() }
    }

    /// Counts some of the rows.
    pub(super) fn count(&mut self, coarse: &[u16]) {
        for code in coarse {
            let slot = self.slots.slot(*code);
            self.slots.starts[slot + 1] += 1;
        }
    }

    /// All have been counted.
    pub(super) fn counted(&mut self) {
        let mut before = 0;
        for start in &mut self.slots.starts {
            before += *start;
            *start = before;
        }
        self.next = self.slots.starts.clone();
        self.slots.rows = vec![0; before as usize];
    }

    pub(super) fn put(&mut self, row: u32, code: u16) {
        let next = &mut self.next[self.slots.slot(code)];
        self.slots.rows[*next as usize] = row;
        *next += 1;
    }

    /// The slots; rows that were counted may not have been put in.
    pub(super) fn finish(mut self) -> Slots {
        let (mut to, slots) = (0, &mut self.slots);
        for (slot, end) in self.next.iter().enumerate() {
            let from = std::mem::replace(&mut slots.starts[slot], to);
            if from != to {
                slots.rows.copy_within(from as usize..*end as usize, to as usize);
            }
            to += end - from;
        }
        slots.rows.truncate(to as usize);
        self.slots
    }

    pub(super) fn memory(&self) -> usize {
        self.slots.memory() + self.next.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_were_counted_need_not_come() {
        let coarse: Vec<u16> = (0..5_000_u32).map(|i| (i * 7_919 % 65_536) as u16).collect();
        let mut growing = Growing::new((0, u16::MAX), coarse.len());
        growing.count(&coarse);
        growing.counted();
        let came = |row: &u32| !row.is_multiple_of(3) && !(1_000..2_000).contains(row);
        let rows = || (0..).zip(&coarse).filter(|(row, _)| came(row));
        rows().for_each(|(row, code)| growing.put(row, *code));
        let slots = growing.finish();
        let sorted = |rows: &[u32]| rows.iter().copied().collect::<std::collections::BTreeSet<u32>>();
        assert_eq!(sorted(slots.between(0, u16::MAX)), rows().map(|(row, _)| row).collect());
        let found = sorted(slots.between(17, 9_000));
        assert!(rows().filter(|(_, code)| (17..=9_000).contains(*code)).all(|(row, _)| found.contains(&row)));
        assert!(found.len() < 600, "{}", found.len());
    }

    #[test]
    fn slots_hold_every_row_of_the_range() {
        let coarse: Vec<u16> = (0..5_000_u32).map(|i| (i * 7_919 % 65_536) as u16).collect();
        let slots = Slots::new(&coarse);
        for (lo, hi) in [(0, 0), (17, 1_000), (65_535, 65_535), (0, u16::MAX)] {
            let found = slots.between(lo, hi);
            let want = (0..).zip(&coarse).filter(|(_, code)| (lo..=hi).contains(*code));
            assert!(want.map(|(row, _): (u32, _)| row).all(|row| found.contains(&row)));
            let (ends, inside) = slots.ends_and_inside(lo, hi);
            assert!(inside.iter().all(|row| (lo..=hi).contains(&coarse[*row as usize])));
            let mut apart: Vec<u32> = ends.concat().into_iter().chain(inside.iter().copied()).collect();
            let mut found = found.to_vec();
            apart.sort_unstable();
            found.sort_unstable();
            assert_eq!(apart, found);
        }
        assert!(slots.ends_and_inside(17, 1_000).1.len() > 30);
        assert_eq!(slots.between(0, u16::MAX).len(), coarse.len());
        assert!((1..100).contains(&slots.between(17, 17).len()));

        let few: Vec<u16> = coarse.iter().map(|code| 40_000 + code % 100).collect();
        let slots = Slots::new(&few);
        assert_eq!([(0, 39_999), (40_100, u16::MAX)].map(|(lo, hi)| slots.between(lo, hi).len()), [0; 2]);
        assert_eq!(slots.ends_and_inside(0, 39_999), ([&[][..]; 2], &[][..]));
        assert!((1..200).contains(&slots.between(40_099, u16::MAX).len()));
        assert_eq!(Slots::new(&[7; 600]).between(7, 7).len(), 600);
    }
}
