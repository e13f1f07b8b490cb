//! The values of one property over the rows of a part: a sorted dictionary and a code a row.

use std::cmp::Ordering;

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
    #[allow(clippy::cast_possible_truncation)] // a code is less than `entries`
    fn new(entries: usize, codes: impl Iterator<Item = u32>) -> Self {
        match entries {
            0..=0x100 => Self::U8(codes.map(|c| c as u8).collect()),
            0x101..=0x1_0000 => Self::U16(codes.map(|c| c as u16).collect()),
            _ => Self::U32(codes.collect()),
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

    fn memory(&self) -> usize {
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

    /// The rows of up to two columns in a new order; a source without the column has it missing everywhere.
    ///
    /// An entry of `order` is a row, with [`SECOND`] set where it is one of the second source.
    pub(crate) fn gather(sources: [Option<&Self>; 2], order: &[u32]) -> Self {
        let missing = [Cell::Missing];
        let dict_of =
            |source: Option<&Self>| source.map_or(missing.as_slice(), |column| &column.dict).to_vec();
        let (dict, maps) = union(&dict_of(sources[0]), &dict_of(sources[1]));
        let code = |&entry: &u32| {
            let which = usize::from(entry & SECOND != 0);
            let code = sources[which].map_or(0, |column| column.codes.get((entry & !SECOND) as usize));
            maps[which].get(code as usize).copied().unwrap_or(0)
        };
        let codes = Codes::new(dict.len(), order.iter().map(code));
        Self { dict, codes }
    }

    /// Makes rows lack the property; a value that no row has any more leaves the dictionary.
    pub(crate) fn blank(&mut self, rows: std::ops::Range<usize>) {
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

/// In an order to gather by: the row is one of the second source.
pub(crate) const SECOND: u32 = 1 << 31;

/// Two sorted dictionaries as one, and where the codes of each go.
fn union(a: &[Cell], b: &[Cell]) -> (Vec<Cell>, [Vec<u32>; 2]) {
    let (mut dict, mut maps) = (Vec::with_capacity(a.len().max(b.len())), [Vec::new(), Vec::new()]);
    let (mut i, mut j) = (0, 0);
    loop {
        let order = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) => x.order(*y),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let code = u32::try_from(dict.len()).unwrap_or(u32::MAX);
        dict.push(if order == Ordering::Greater { b[j] } else { a[i] });
        if order != Ordering::Greater {
            maps[0].push(code);
            i += 1;
        }
        if order != Ordering::Less {
            maps[1].push(code);
            j += 1;
        }
    }
    (dict, maps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_from_two_sources() {
        let a = Column::new(&[Cell::Int(5), Cell::Missing, Cell::Float(2.5)]);
        let b = Column::new(&[Cell::Text(1), Cell::Int(5)]);
        let both = Column::gather([Some(&a), Some(&b)], &[2, SECOND, 1, 0, SECOND | 1]);
        let cells: Vec<Cell> = (0..5).map(|row| both.get(row)).collect();
        assert_eq!(cells, [Cell::Float(2.5), Cell::Text(1), Cell::Missing, Cell::Int(5), Cell::Int(5)]);
        let alone = Column::gather([None, Some(&b)], &[SECOND, 7]);
        assert_eq!([alone.get(0), alone.get(1)], [Cell::Text(1), Cell::Missing]);
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
