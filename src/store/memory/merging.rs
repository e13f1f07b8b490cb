//! Several parts become one, a slice at a time.

use super::bits::Bits;
use super::cell::Cell;
use super::column::{Codes, Column, Union};
use super::part::Part;
use super::slots::Growing;
use crate::limits::SMALL;

/// Rows from which on it would take too long to order them by time at once.
const LARGE: usize = if SMALL { 1 << 11 } else { 1 << 16 };

/// Rows that are counted, or whose value is noted, in the time in which one is merged.
const COUNTED: usize = 8;

/// A merge of parts under way. Holds none: they are handed in at each step, the same ones in the same order.
#[derive(Debug)]
pub(crate) struct Merging {
    out: Part,
    columns: Vec<Merged>,
    /// Columns whose dictionaries are joined.
    joined: usize,
    from: Vec<Cursor>,
    /// The rows of the slice at hand: of which part, and where there; and their keys.
    order: Vec<(u32, u32)>,
    keys: Vec<u64>,
    rows: usize,
    /// The rows of the result by time, where those of a part are.
    slots: Option<Growing>,
    /// Of how many parts the rows have been counted by time, and how many of the next.
    counted: (usize, usize),
    /// Whose rows have been wiped meanwhile.
    wiped: Vec<u32>,
}

/// One column of the result.
#[derive(Debug)]
struct Merged {
    property: u32,
    /// By part, where values may be in the dictionary that no row has any more: those that rows have.
    used: Vec<Option<Bits>>,
    /// Of how many parts these have been noted, and of how many rows of the next.
    noted: (usize, usize),
    union: Union,
    codes: Codes,
}

impl Merged {
    fn new(property: u32, parts: &[&Part]) -> Self {
        let used = |part: &&Part| {
            let column = part.column(property).filter(|column| column.is_stale())?;
            Some(Bits::none(column.dict().len()))
        };
        Self {
            property,
            used: parts.iter().map(used).collect(),
            noted: (0, 0),
            union: Union::new(parts.len()),
            codes: Codes::with_capacity(0, 0),
        }
    }

    /// Goes on noting which values rows have; whether that is done.
    fn note(&mut self, parts: &[&Part], left: &mut usize) -> bool {
        while let Some((part, used)) = parts.get(self.noted.0).zip(self.used.get_mut(self.noted.0)) {
            if let (Some(used), Some(column)) = (used, part.column(self.property)) {
                let start = self.noted.1;
                let end = column.len().min(start.saturating_add(left.saturating_mul(COUNTED)));
                column.note(start..end, used);
                *left -= (end - start).div_ceil(COUNTED);
                self.noted.1 = end;
                if end < column.len() {
                    return false;
                }
            }
            self.noted = (self.noted.0 + 1, 0);
        }
        true
    }

    fn memory(&self) -> usize {
        let used = self.used.iter().flatten().map(Bits::memory);
        used.sum::<usize>() + self.union.memory() + self.codes.memory()
    }
}

/// Where a merge stands in one of its parts.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    row: usize,
    /// The block after the one that holds the row.
    next: usize,
    /// Where the block of the row ends, and the high half of its users.
    end: usize,
    high: u32,
    /// How far the rows with a place in the order of arrival have come.
    late: usize,
    /// The key of the row; [`END`] after the last.
    key: u64,
}

/// After all keys: no user has the number `u32::MAX`.
const END: u64 = u64::MAX;

#[allow(clippy::cast_possible_truncation)] // the high half
fn user_of(key: u64) -> u32 {
    (key >> 32) as u32
}

impl Cursor {
    fn new(part: &Part) -> Self {
        let mut this = Self { row: 0, next: 0, end: 0, high: 0, late: 0, key: END };
        this.look(part);
        this
    }

    fn look(&mut self, part: &Part) {
        if self.row == self.end {
            let Some(block) = part.blocks().get(self.next) else {
                self.key = END;
                return;
            };
            (self.next, self.end, self.high) =
                (self.next + 1, block.end as usize, u32::from(block.high) << 16);
        }
        let user = self.high | u32::from(part.users()[self.row]);
        self.key = u64::from(user) << 32 | u64::from(part.within(self.row));
    }
}

/// The dictionary of a column; where a part lacks it, no row has the property.
fn dict(column: Option<&Column>) -> &[Cell] {
    column.map_or(&[Cell::Missing], Column::dict)
}

impl Merging {
    /// Of parts of one bucket, at least one.
    pub(crate) fn new(parts: &[&Part]) -> Self {
        let mut properties: Vec<u32> = parts.iter().flat_map(|part| part.properties_held()).collect();
        properties.sort_unstable();
        properties.dedup();
        let (rows, ties) =
            parts.iter().fold((0, 0), |(rows, ties), part| (rows + part.len(), ties + part.ties()));
        #[allow(clippy::cast_possible_truncation)] // the coarse half
        let coarse = |at: i64| (at >> 16) as u16;
        let span = |part: &&Part| (coarse(part.first_instant()), coarse(part.last_instant()));
        let span = parts.iter().map(span).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let by_time = rows >= LARGE && parts.iter().any(|part| part.slots().get().is_some());
        Self {
            out: Part::with_capacity(parts.first().map_or(0, |part| part.bucket()), rows, ties),
            columns: properties.into_iter().map(|property| Merged::new(property, parts)).collect(),
            joined: 0,
            from: parts.iter().map(|part| Cursor::new(part)).collect(),
            order: Vec::new(),
            keys: Vec::new(),
            rows,
            slots: span.filter(|_| by_time).map(|span| Growing::new(span, rows)),
            counted: (0, 0),
            wiped: Vec::new(),
        }
    }

    /// Goes on by entries of dictionaries and by rows, without those of users who are gone, counting `left` down;
    /// whether that was all.
    pub(crate) fn step(&mut self, parts: &[&Part], left: &mut usize, is_alive: &dyn Fn(u32) -> bool) -> bool {
        while let Some(merged) = self.columns.get_mut(self.joined) {
            if !merged.note(parts, left) {
                return false;
            }
            let dicts: Vec<&[Cell]> = parts.iter().map(|part| dict(part.column(merged.property))).collect();
            if !merged.union.step(&dicts, &merged.used, left) {
                return false;
            }
            merged.codes = Codes::with_capacity(merged.union.len(), self.rows);
            self.joined += 1;
        }
        if !self.count_rows(parts, left) {
            return false;
        }
        self.order.clear();
        self.keys.clear();
        self.take_rows(parts, left, is_alive);
        self.out.extend(&self.keys);
        for Merged { property, union, codes, .. } in &mut self.columns {
            let columns: Vec<_> = parts.iter().map(|part| part.column(*property)).collect();
            codes.extend(self.order.iter().map(|&(part, row)| union.code(&columns, part, row)));
        }
        self.from.iter().all(|cursor| cursor.key == END)
    }

    /// Goes on counting rows by time; whether that is done.
    fn count_rows(&mut self, parts: &[&Part], left: &mut usize) -> bool {
        let Some(slots) = &mut self.slots else { return true };
        while let Some(part) = parts.get(self.counted.0) {
            let rest = part.coarse().get(self.counted.1..).unwrap_or_default();
            let some = &rest[..rest.len().min(left.saturating_mul(COUNTED))];
            slots.count(some);
            *left -= some.len().div_ceil(COUNTED);
            self.counted.1 += some.len();
            if some.len() < rest.len() {
                return false;
            }
            self.counted = (self.counted.0 + 1, 0);
            if self.counted.0 == parts.len() {
                slots.counted();
            }
        }
        true
    }

    /// Takes the next rows over.
    fn take_rows(&mut self, parts: &[&Part], left: &mut usize, is_alive: &dyn Fn(u32) -> bool) {
        let (mut alive, has_columns) = ((None, false), !self.columns.is_empty());
        while *left > 0 {
            let Some(first) = self.first(parts) else { return };
            let (Some(cursor), Some(part)) = (self.from.get_mut(first), parts.get(first)) else { return };
            let (user, row) = (user_of(cursor.key), cursor.row);
            if alive.0 != Some(user) {
                alive = (Some(user), is_alive(user));
            }
            if alive.1 {
                let to = self.out.len() + self.keys.len();
                self.out.add_tie(to, part.next_tie(row, &mut cursor.late));
                #[allow(clippy::cast_possible_truncation)] // rows are below 2^31
                if let Some(slots) = &mut self.slots {
                    slots.put(to as u32, part.coarse()[row]);
                }
                self.keys.push(cursor.key);
                if has_columns {
                    #[allow(clippy::cast_possible_truncation)] // rows are below 2^31, and parts are few
                    self.order.push((first as u32, row as u32));
                }
            }
            cursor.row += 1;
            cursor.look(part);
            *left -= 1;
        }
    }

    /// The part that has the next row.
    fn first(&self, parts: &[&Part]) -> Option<usize> {
        let (mut first, mut lowest, mut next) = (0, END, END);
        for (i, cursor) in self.from.iter().enumerate() {
            // Of short runs of rows no processor guesses where they end, so that nothing here depends on a guess.
            next = next.min(lowest.max(cursor.key));
            first = if cursor.key < lowest { i } else { first };
            lowest = lowest.min(cursor.key);
        }
        if lowest == next && lowest != END {
            let of_instant = self.from.iter().enumerate().filter(|(_, cursor)| cursor.key == lowest);
            return of_instant
                .min_by_key(|(i, cursor)| parts.get(*i).map(|part| part.tie(cursor.row)))
                .map(|(i, _)| i);
        }
        (lowest != END).then_some(first)
    }

    /// Wipes what has been taken over of a user whose rows are about to be wiped in the parts.
    pub(crate) fn wipe(&mut self, user: u32) {
        let rows = self.out.wipe_rows(user);
        for Merged { codes, .. } in &mut self.columns {
            rows.clone().for_each(|row| codes.set(row, Column::MISSING));
        }
        self.wiped.push(user);
    }

    /// The part, once all steps are done.
    pub(crate) fn finish(mut self) -> Part {
        let stale = !self.wiped.is_empty();
        let column = |merged: Merged| (merged.property, merged.union.column(merged.codes, stale));
        self.out.take_columns(self.columns.into_iter().map(column));
        self.out.was_wiped(self.wiped);
        self.out.finish();
        if let Some(slots) = self.slots {
            self.out.slots().get_or_init(|| slots.finish());
        }
        self.out
    }

    /// All parts as one, at once.
    pub(crate) fn at_once(parts: &[&Part], is_alive: &dyn Fn(u32) -> bool) -> Part {
        let mut merging = Self::new(parts);
        let mut left = LARGE;
        while !merging.step(parts, &mut left, is_alive) {
            left = LARGE;
        }
        merging.finish()
    }

    pub(crate) fn memory(&self) -> usize {
        let (rows, _) = self.out.memory();
        let columns = self.columns.iter().map(Merged::memory);
        let slots = self.slots.as_ref().map_or(0, Growing::memory);
        let order =
            (self.order.capacity() + self.keys.capacity()) * 8 + self.from.capacity() * size_of::<Cursor>();
        rows + columns.sum::<usize>() + slots + order
    }
}
