//! Where rows stand in the order of arrival.

/// The place in the order of arrival of those rows that are not the first of their millisecond.
///
/// An event that arrives with an instant later than all before it is the first of its millisecond in the whole
/// store: its place is 0 and takes no room.
#[derive(Clone, Debug, Default)]
pub(super) struct Ties {
    rows: Vec<u32>,
    places: Vec<u64>,
}

impl Ties {
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), places: Vec::with_capacity(rows) }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, row: usize) -> u64 {
        let found = u32::try_from(row).ok().and_then(|row| self.rows.binary_search(&row).ok());
        found.and_then(|i| self.places.get(i)).copied().unwrap_or(0)
    }

    /// The same of rows asked for in order, remembering in `next` how far that has come.
    pub(super) fn get_next(&self, row: usize, next: &mut usize) -> u64 {
        while self.rows.get(*next).is_some_and(|late| (*late as usize) < row) {
            *next += 1;
        }
        let is_it = self.rows.get(*next).is_some_and(|late| *late as usize == row);
        if is_it { self.places.get(*next).copied().unwrap_or(0) } else { 0 }
    }

    pub(super) fn push(&mut self, row: usize, place: u64) {
        if place != 0 {
            self.rows.push(u32::try_from(row).unwrap_or(u32::MAX));
            self.places.push(place);
        }
    }

    pub(super) fn shrink(&mut self) {
        self.rows.shrink_to_fit();
        self.places.shrink_to_fit();
    }

    pub(super) fn memory(&self) -> usize {
        self.rows.capacity() * 4 + self.places.capacity() * 8
    }
}
