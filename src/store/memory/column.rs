//! The values of one property over the rows of a part: a sorted dictionary and a code a row.

use std::ops::Range;

use super::bits::Bits;
use super::cell::Cell;

/// One property of a part. Codes number the dictionary's entries, so codes compare as the values do.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Sorted by [`Cell::order`], [`Cell::Missing`] first. Entries of values that are gone repeat the one before them, so that
    /// no code has to change.
    dict: Vec<Cell>,
    codes: Codes,
    /// Whether there may be values that no row has any more.
    stale: bool,
    /// How many entries repeat the one before them.
    repeated: usize,
}

/// A code a row, as wide as the dictionary asks for.
#[derive(Clone, Debug)]
pub(crate) enum Codes {
    /// Up to 2^8 entries.
    U8(Vec<u8>),
    /// Up to 2^16 entries.
    U16(Vec<u16>),
    /// More.
    U32(Vec<u32>),
}

impl Codes {
    /// Codes for a dictionary of `entries`, each less than that.
    fn new(entries: usize, codes: impl Iterator<Item = u32>) -> Self {
        let mut all = Self::with_capacity(entries, codes.size_hint().0);
        all.extend(codes);
        all
    }

    /// No codes yet, and room for those of so many rows.
    pub(crate) fn with_capacity(entries: usize, rows: usize) -> Self {
        match entries {
            0..=0x100 => Self::U8(Vec::with_capacity(rows)),
            0x101..=0x1_0000 => Self::U16(Vec::with_capacity(rows)),
            _ => Self::U32(Vec::with_capacity(rows)),
        }
    }

    /// Adds codes of as many entries as there is room for.
    #[allow(clippy::cast_possible_truncation)] // a code is less than the entries
    pub(crate) fn extend(&mut self, added: impl Iterator<Item = u32>) {
        match self {
            Self::U8(codes) => codes.extend(added.map(|c| c as u8)),
            Self::U16(codes) => codes.extend(added.map(|c| c as u16)),
            Self::U32(codes) => codes.extend(added),
        }
    }

    pub(crate) fn get(&self, row: usize) -> u32 {
        match self {
            Self::U8(codes) => codes.get(row).copied().map_or(0, u32::from),
            Self::U16(codes) => codes.get(row).copied().map_or(0, u32::from),
            Self::U32(codes) => codes.get(row).copied().unwrap_or(0),
        }
    }

    #[allow(clippy::cast_possible_truncation)] // the caller's code is in the dictionary
    fn grow(&mut self, rows: usize, code: u32) {
        match self {
            Self::U8(codes) => codes.resize(rows, code as u8),
            Self::U16(codes) => codes.resize(rows, code as u16),
            Self::U32(codes) => codes.resize(rows, code),
        }
    }

    pub(crate) fn set(&mut self, row: usize, code: u32) {
        #[allow(clippy::cast_possible_truncation)] // the caller's code is in the dictionary
        match self {
            Self::U8(codes) => codes[row] = code as u8,
            Self::U16(codes) => codes[row] = code as u16,
            Self::U32(codes) => codes[row] = code,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::U8(codes) => codes.len(),
            Self::U16(codes) => codes.len(),
            Self::U32(codes) => codes.len(),
        }
    }

    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::U8(codes) => codes.capacity(),
            Self::U16(codes) => codes.capacity() * 2,
            Self::U32(codes) => codes.capacity() * 4,
        }
    }
}

impl Column {
    /// The code of [`Cell::Missing`].
    pub(crate) const MISSING: u32 = 0;

    /// A column of these cells, one a row.
    pub(crate) fn new(cells: &[Cell]) -> Self {
        let mut dict = cells.to_vec();
        dict.push(Cell::Missing);
        dict.sort_unstable_by(|a, b| a.order(*b));
        dict.dedup();
        dict.shrink_to_fit();
        let code = |cell: &Cell| {
            let found = dict.binary_search_by(|have| have.order(*cell));
            u32::try_from(found.unwrap_or(0)).unwrap_or(0)
        };
        let codes = Codes::new(dict.len(), cells.iter().map(code));
        Self::of(dict, codes, false)
    }

    /// Of a dictionary in which nothing is repeated.
    fn of(dict: Vec<Cell>, codes: Codes, stale: bool) -> Self {
        Self { dict, codes, stale, repeated: 0 }
    }

    pub(crate) fn get(&self, row: usize) -> Cell {
        self.dict.get(self.codes.get(row) as usize).copied().unwrap_or(Cell::Missing)
    }

    /// Adds the cells of some rows.
    pub(crate) fn add_cells(&self, rows: Range<usize>, cells: &mut Vec<Cell>) {
        let cell = |code: u32| self.dict.get(code as usize).copied().unwrap_or(Cell::Missing);
        match &self.codes {
            Codes::U8(codes) => cells.extend(codes[rows].iter().map(|code| cell(u32::from(*code)))),
            Codes::U16(codes) => cells.extend(codes[rows].iter().map(|code| cell(u32::from(*code)))),
            Codes::U32(codes) => cells.extend(codes[rows].iter().map(|code| cell(*code))),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// The same, grown to so many rows, with other values in some of them; `None` where a value is not in the dictionary.
    pub(crate) fn with(&self, others: &[(u32, Cell)], rows: usize) -> Option<Self> {
        let code = |cell: Cell| {
            // the first of equals: the others are of values that are gone
            let found = self.dict.partition_point(|have| have.order(cell).is_lt());
            self.dict.get(found).filter(|have| have.order(cell).is_eq())?;
            u32::try_from(found).ok()
        };
        let codes = others.iter().map(|(row, cell)| Some((*row as usize, code(*cell)?)));
        let codes = codes.collect::<Option<Vec<_>>>()?;
        let mut this = self.clone();
        if rows > self.len() {
            this.codes.grow(rows, Self::MISSING);
        }
        this.stale |= !codes.is_empty();
        codes.into_iter().filter(|(row, _)| *row < rows).for_each(|(row, code)| this.codes.set(row, code));
        Some(this)
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(crate) fn dict(&self) -> &[Cell] {
        &self.dict
    }

    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// Some of the rows, and their values alone.
    pub(crate) fn pick(&self, rows: &[u32]) -> Self {
        let unused = self.unused(rows.iter().map(|row| self.codes.get(*row as usize)));
        let (mut dict, mut moved) = (Vec::new(), Vec::with_capacity(self.dict.len()));
        for (code, cell) in (0..).zip(&self.dict) {
            moved.push(u32::try_from(dict.len()).unwrap_or(u32::MAX));
            dict.extend((!unused.contains(code)).then_some(*cell));
        }
        dict.shrink_to_fit();
        let code =
            |row: &u32| moved.get(self.codes.get(*row as usize) as usize).copied().unwrap_or(Self::MISSING);
        let codes = Codes::new(dict.len(), rows.iter().map(code));
        Self::of(dict, codes, false)
    }

    /// Makes rows lack the property. Their values stay in the dictionary until [`Column::sweep`].
    pub(crate) fn blank(&mut self, rows: Range<usize>) {
        for row in rows {
            self.stale |= self.codes.get(row) != Self::MISSING;
            self.codes.set(row, Self::MISSING);
        }
    }

    /// Notes the codes of some rows.
    pub(crate) fn note(&self, rows: Range<usize>, used: &mut Bits) {
        match &self.codes {
            Codes::U8(codes) => codes[rows].iter().for_each(|code| used.insert(u32::from(*code))),
            Codes::U16(codes) => codes[rows].iter().for_each(|code| used.insert(u32::from(*code))),
            Codes::U32(codes) => codes[rows].iter().for_each(|code| used.insert(*code)),
        }
    }

    /// Lets go values that no row has any more.
    pub(crate) fn sweep(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let unused = match &self.codes {
            Codes::U8(codes) => self.unused(codes.iter().map(|code| u32::from(*code))),
            Codes::U16(codes) => self.unused(codes.iter().map(|code| u32::from(*code))),
            Codes::U32(codes) => self.unused(codes.iter().copied()),
        };
        self.repeated = 0;
        for code in unused.iter() {
            self.repeated += 1;
            self.dict[code as usize] = self.dict[code as usize - 1];
        }
    }

    /// The entries that are named by none of some codes; never the first.
    fn unused(&self, codes: impl Iterator<Item = u32>) -> Bits {
        let entries = self.dict.len();
        let mut words = vec![!0; entries.div_ceil(64)];
        words.iter_mut().skip(entries / 64).for_each(|last| *last = (1 << (entries % 64)) - 1);
        let mut unused = Bits::from_words(words);
        unused.remove(Self::MISSING);
        let mut unseen = entries.saturating_sub(1 + self.repeated);
        for code in codes {
            if unseen == 0 {
                break;
            }
            if unused.contains(code) {
                unused.remove(code);
                unseen -= 1;
            }
        }
        unused
    }

    pub(crate) fn memory(&self) -> usize {
        self.codes.memory() + self.dict.capacity() * size_of::<Cell>()
    }
}

/// Several sorted dictionaries as one, and where the codes of each go; made a slice at a time.
#[derive(Debug)]
pub(crate) struct Union {
    dict: Vec<Cell>,
    /// By source: the codes of the entries taken so far.
    maps: Vec<Vec<u32>>,
}

impl Union {
    pub(crate) fn new(sources: usize) -> Self {
        Self { dict: Vec::new(), maps: vec![Vec::new(); sources] }
    }

    /// Takes more entries over, counting `left` down; whether these were all. Those that repeat one are the same; those
    /// after the first that are not among the `used` of their source, where that is known, are left out.
    pub(crate) fn step(&mut self, sources: &[&[Cell]], used: &[Option<Bits>], left: &mut usize) -> bool {
        while *left > 0 {
            for ((source, map), used) in sources.iter().zip(&mut self.maps).zip(used) {
                let Some(used) = used else { continue };
                while (1..source.len()).contains(&map.len())
                    && !used.contains(u32::try_from(map.len()).unwrap_or(u32::MAX))
                {
                    map.push(Column::MISSING);
                    *left = left.saturating_sub(1);
                }
            }
            let next = |(source, map): (&&[Cell], &Vec<u32>)| source.get(map.len()).copied();
            let least = sources.iter().zip(&self.maps).filter_map(next).min_by(|a, b| a.order(*b));
            let Some(least) = least else {
                self.dict.shrink_to_fit();
                return true;
            };
            let code = u32::try_from(self.dict.len()).unwrap_or(u32::MAX);
            self.dict.push(least);
            for (source, map) in sources.iter().zip(&mut self.maps) {
                while source.get(map.len()).is_some_and(|cell| cell.order(least).is_eq()) {
                    map.push(code);
                    *left = left.saturating_sub(1);
                }
            }
        }
        false
    }

    pub(crate) fn len(&self) -> usize {
        self.dict.len()
    }

    /// The code of a row of a source; one without the column has it missing everywhere.
    pub(crate) fn code(&self, sources: &[Option<&Column>], source: u32, row: u32) -> u32 {
        let column = sources.get(source as usize).copied().flatten();
        let code = column.map_or(Column::MISSING, |column| column.codes.get(row as usize));
        self.maps.get(source as usize).and_then(|map| map.get(code as usize)).copied().unwrap_or(0)
    }

    /// The column with these codes, of which some rows may have been blanked, also in the sources.
    pub(crate) fn column(self, codes: Codes, stale: bool) -> Column {
        Column::of(self.dict, codes, stale)
    }

    pub(crate) fn memory(&self) -> usize {
        self.dict.capacity() * size_of::<Cell>()
            + self.maps.iter().map(|map| map.capacity() * 4 + 24).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn several_sources_become_one() {
        let a = Column::new(&[Cell::Int(5), Cell::Missing, Cell::Float(2.5)]);
        let b = Column::new(&[Cell::Text(1), Cell::Int(5)]);
        let missing = [Cell::Missing];
        for most in [1, 2, 100] {
            let mut union = Union::new(3);
            while !union.step(&[a.dict(), b.dict(), &missing], &[], &mut most.clone()) {}
            let mut codes = Codes::with_capacity(union.len(), 6);
            let rows = [(0, 2), (1, 0), (0, 1), (2, 7), (0, 0), (1, 1)];
            codes.extend(
                rows.iter().map(|(source, row)| union.code(&[Some(&a), Some(&b), None], *source, *row)),
            );
            let all = union.column(codes, false);
            let cells: Vec<Cell> = (0..6).map(|row| all.get(row)).collect();
            let (half, five) = (Cell::Float(2.5), Cell::Int(5));
            assert_eq!(cells, [half, Cell::Text(1), Cell::Missing, Cell::Missing, five, five]);
        }
        assert_eq!([0, 1].map(|row| a.pick(&[2, 0]).get(row)), [Cell::Float(2.5), Cell::Int(5)]);
    }

    #[test]
    fn a_value_that_no_row_has_any_more_goes_without_moving_others() {
        let mut a = Column::new(&[Cell::Int(5), Cell::Int(6), Cell::Int(5), Cell::Int(7)]);
        a.blank(0..2);
        let codes = a.codes().clone();
        assert!(a.is_stale() && a.dict().contains(&Cell::Int(6)));
        a.sweep();
        assert_eq!(a.dict(), [Cell::Missing, Cell::Int(5), Cell::Int(5), Cell::Int(7)]);
        assert_eq!(format!("{codes:?}"), format!("{:?}", a.codes()));
        let with = a.with(&[(0, Cell::Int(5)), (1, Cell::Int(7))], 5).unwrap();
        assert_eq!((with.get(0), with.get(1), with.get(4)), (Cell::Int(5), Cell::Int(7), Cell::Missing));
        assert!(a.with(&[(0, Cell::Int(6))], 4).is_none());
    }

    fn cells() -> impl Strategy<Value = Vec<Cell>> {
        // more than there are codes of a byte, at times
        let cell = prop_oneof![1 => Just(Cell::Missing), 3 => (0..4_i64).prop_map(Cell::Int), 6 => (0..400_i64).prop_map(Cell::Int)];
        prop_oneof![prop::collection::vec(cell.clone(), 0..9), prop::collection::vec(cell, 0..700)]
    }

    fn all(column: &Column) -> Vec<Cell> {
        (0..column.len()).map(|row| column.get(row)).collect()
    }

    fn distinct(cells: &[Cell]) -> Vec<Cell> {
        let mut cells = [cells, &[Cell::Missing]].concat();
        cells.sort_by(|a, b| a.order(*b));
        cells.dedup();
        cells
    }

    proptest! {
        #[test]
        fn a_column_says_what_its_rows_say(
            mut cells in cells(),
            steps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3_u8), 0..12),
            other in cells(),
        ) {
            let mut column = Column::new(&cells);
            for (from, until, step) in steps {
                let (from, until) = (from.index(cells.len() + 1), until.index(cells.len() + 1));
                let rows = from.min(until)..from.max(until);
                match step {
                    0 => {
                        cells[rows.clone()].fill(Cell::Missing);
                        column.blank(rows);
                    }
                    1 => {
                        column.sweep();
                        let mut dict = column.dict().to_vec();
                        dict.dedup();
                        prop_assert_eq!(dict, distinct(&cells));
                    }
                    _ => {
                        let picked: Vec<u32> = (0..).take(cells.len()).filter(|row| !rows.contains(&(*row as usize))).collect();
                        column = column.pick(&picked);
                        cells.drain(rows);
                        prop_assert_eq!(column.dict(), distinct(&cells));
                    }
                }
                prop_assert_eq!(all(&column), &*cells);
            }
            let mut used = None;
            if column.is_stale() {
                let noted = used.insert(Bits::none(column.dict().len()));
                let middle = cells.len() / 2;
                column.note(0..middle, noted);
                column.note(middle..cells.len(), noted);
            }
            let other = (Column::new(&other), other);
            let mut union = Union::new(2);
            while !union.step(&[column.dict(), other.0.dict()], &[used.clone(), None], &mut 1) {}
            let rows = [(0, cells.len()), (1, other.1.len())].map(|(source, rows)| (0..).take(rows).map(move |row| (source, row)));
            let mut codes = Codes::with_capacity(union.len(), 0);
            codes.extend(rows.into_iter().flatten().map(|(source, row)| union.code(&[Some(&column), Some(&other.0)], source, row)));
            let joined = union.column(codes, false);
            let both = [cells, other.1].concat();
            prop_assert_eq!(all(&joined), &*both);
            prop_assert_eq!(joined.dict(), distinct(&both));
        }
    }
}
