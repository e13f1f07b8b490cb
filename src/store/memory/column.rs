//! The values of one property over the rows of a part: a sorted dictionary and a code a row.

use std::ops::Range;

use super::cell::Cell;

/// One property of a part. Codes number the dictionary's entries, so codes compare as the values do.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Sorted by [`Cell::order`], distinct; holds [`Cell::Missing`] where a row lacks the property.
    dict: Vec<Cell>,
    codes: Codes,
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

    fn set(&mut self, row: usize, code: u32) {
        #[allow(clippy::cast_possible_truncation)] // the caller's code is in the dictionary
        match self {
            Self::U8(codes) => codes[row] = code as u8,
            Self::U16(codes) => codes[row] = code as u16,
            Self::U32(codes) => codes[row] = code,
        }
    }

    /// Whether a row has this code, which fits.
    #[allow(clippy::cast_possible_truncation)] // the caller's code is in the dictionary
    fn contains(&self, code: u32) -> bool {
        match self {
            Self::U8(codes) => codes.contains(&(code as u8)),
            Self::U16(codes) => codes.contains(&(code as u16)),
            Self::U32(codes) => codes.contains(&code),
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
    /// A column of these cells, one a row.
    pub(crate) fn new(cells: &[Cell]) -> Self {
        let mut dict = cells.to_vec();
        dict.sort_unstable_by(|a, b| a.order(*b));
        dict.dedup();
        dict.shrink_to_fit();
        let code = |cell: &Cell| {
            let found = dict.binary_search_by(|have| have.order(*cell));
            u32::try_from(found.unwrap_or(0)).unwrap_or(0)
        };
        let codes = Codes::new(dict.len(), cells.iter().map(code));
        Self { dict, codes }
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

    /// The same, grown to so many rows, with other values in some of them; `None` where a value, or that there is none,
    /// is not in the dictionary.
    pub(crate) fn with(&self, others: &[(u32, Cell)], rows: usize) -> Option<Self> {
        let code = |cell: Cell| {
            let found = self.dict.binary_search_by(|have| have.order(cell)).ok()?;
            u32::try_from(found).ok()
        };
        let codes = others.iter().map(|(row, cell)| Some((*row as usize, code(*cell)?)));
        let codes = codes.collect::<Option<Vec<_>>>()?;
        let mut this = self.clone();
        if rows > self.len() {
            this.codes.grow(rows, code(Cell::Missing)?);
        }
        codes.into_iter().filter(|(row, _)| *row < rows).for_each(|(row, code)| this.codes.set(row, code));
        Some(this)
    }

    pub(crate) fn dict(&self) -> &[Cell] {
        &self.dict
    }

    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// Some of the rows.
    pub(crate) fn pick(&self, rows: &[u32]) -> Self {
        let codes = rows.iter().map(|row| self.codes.get(*row as usize));
        Self { dict: self.dict.clone(), codes: Codes::new(self.dict.len(), codes) }
    }

    /// Makes rows lack the property; a value that no row has any more leaves the dictionary.
    pub(crate) fn blank(&mut self, rows: Range<usize>) {
        if self.dict.first() != Some(&Cell::Missing) {
            let codes = (0..self.codes.len()).map(|row| self.codes.get(row) + 1);
            self.codes = Codes::new(self.dict.len() + 1, codes);
            self.dict.insert(0, Cell::Missing);
        }
        let mut gone: Vec<u32> =
            rows.clone().map(|row| self.codes.get(row)).filter(|&code| code != 0).collect();
        gone.sort_unstable();
        gone.dedup();
        rows.for_each(|row| self.codes.set(row, 0));
        gone.retain(|&code| !self.codes.contains(code));
        self.drop_entries(&gone);
    }

    /// Drops entries of the dictionary that no row has, given in order.
    fn drop_entries(&mut self, unused: &[u32]) {
        if unused.is_empty() {
            return;
        }
        let kept = |code: u32| unused.binary_search(&code).is_err();
        let entries = (0u32..).zip(std::mem::take(&mut self.dict));
        self.dict = entries.filter(|(code, _)| kept(*code)).map(|(_, cell)| cell).collect();
        let moved = |code: u32| code - u32::try_from(unused.partition_point(|&u| u < code)).unwrap_or(0);
        let codes = (0..self.codes.len()).map(|row| moved(self.codes.get(row)));
        self.codes = Codes::new(self.dict.len(), codes);
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

    /// Takes more entries over, counting `left` down; whether these were all.
    pub(crate) fn step(&mut self, sources: &[&[Cell]], left: &mut usize) -> bool {
        while *left > 0 {
            *left -= 1;
            let next = |(source, map): (&&[Cell], &Vec<u32>)| source.get(map.len()).copied();
            let least = sources.iter().zip(&self.maps).filter_map(next).min_by(|a, b| a.order(*b));
            let Some(least) = least else {
                self.dict.shrink_to_fit();
                return true;
            };
            let code = u32::try_from(self.dict.len()).unwrap_or(u32::MAX);
            self.dict.push(least);
            for (source, map) in sources.iter().zip(&mut self.maps) {
                if source.get(map.len()).is_some_and(|cell| cell.order(least).is_eq()) {
                    map.push(code);
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
        let code = column.map_or(0, |column| column.codes.get(row as usize));
        self.maps.get(source as usize).and_then(|map| map.get(code as usize)).copied().unwrap_or(0)
    }

    /// The column with these codes.
    pub(crate) fn column(self, codes: Codes) -> Column {
        Column { dict: self.dict, codes }
    }

    pub(crate) fn memory(&self) -> usize {
        self.dict.capacity() * size_of::<Cell>()
            + self.maps.iter().map(|map| map.capacity() * 4 + 24).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_sources_become_one() {
        let a = Column::new(&[Cell::Int(5), Cell::Missing, Cell::Float(2.5)]);
        let b = Column::new(&[Cell::Text(1), Cell::Int(5)]);
        let missing = [Cell::Missing];
        for most in [1, 2, 100] {
            let mut union = Union::new(3);
            while !union.step(&[a.dict(), b.dict(), &missing], &mut most.clone()) {}
            let mut codes = Codes::with_capacity(union.len(), 6);
            let rows = [(0, 2), (1, 0), (0, 1), (2, 7), (0, 0), (1, 1)];
            codes.extend(
                rows.iter().map(|(source, row)| union.code(&[Some(&a), Some(&b), None], *source, *row)),
            );
            let all = union.column(codes);
            let cells: Vec<Cell> = (0..6).map(|row| all.get(row)).collect();
            let (half, five) = (Cell::Float(2.5), Cell::Int(5));
            assert_eq!(cells, [half, Cell::Text(1), Cell::Missing, Cell::Missing, five, five]);
        }
        assert_eq!([0, 1].map(|row| a.pick(&[2, 0]).get(row)), [Cell::Float(2.5), Cell::Int(5)]);
    }

    #[test]
    fn blanks_rows_without_moving_others() {
        let mut a = Column::new(&[Cell::Int(5), Cell::Int(6), Cell::Int(7)]);
        a.blank(1..2);
        assert_eq!([0, 1, 2].map(|row| a.get(row)), [Cell::Int(5), Cell::Missing, Cell::Int(7)]);
        assert_eq!(a.dict(), [Cell::Missing, Cell::Int(5), Cell::Int(7)]);
    }

    #[test]
    fn blanking_keeps_what_another_row_has() {
        let mut a = Column::new(&[Cell::Int(5), Cell::Int(6), Cell::Int(5), Cell::Missing]);
        a.blank(0..2);
        assert_eq!(a.dict(), [Cell::Missing, Cell::Int(5)]);
        assert_eq!(
            [0, 1, 2, 3].map(|row| a.get(row)),
            [Cell::Missing, Cell::Missing, Cell::Int(5), Cell::Missing]
        );
    }
}
