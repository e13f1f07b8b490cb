//! Scans of the events that a matcher means within some instants, a block of users at a time.
//!
//! Event mask first, users second: instants and properties are compared column by column into bits, and only
//! the rows whose bit is set are looked at.

use std::ops::Range;

use super::super::cell::Cell;
use super::super::column::{Codes, Column};
use super::super::kernel;
use super::super::part::Part;
use super::super::snapshot::Snapshot;
use crate::plan::Matcher;
use crate::plan::bounds::Bounds;
use crate::plan::filter::BoundFilter;
use crate::plan::test::{BoundTest, CompiledTest};
use crate::segment::Filter;

/// Users of one high half.
pub(super) const BLOCK: usize = 1 << 16;

/// The events of a matcher within some instants, ready to be scanned.
pub(super) struct Scan<'a> {
    store: &'a Snapshot,
    names: Vec<u32>,
    bounds: Bounds,
    filter: Option<RowFilter<'a>>,
    /// The properties whose values are wanted; `None`: none is, or no event has it.
    wanted: [Option<u32>; 2],
}

/// A filter at one `T`.
struct RowFilter<'a> {
    bound: BoundFilter<'a>,
    /// The properties by the filter's own numbering; `None`: no event has it.
    properties: Vec<Option<u32>>,
    /// Where the filter is one test of one property: the test on that property.
    single: Option<CompiledTest>,
    t: i64,
}

/// Some rows of one block, and which of them count.
pub(super) struct Batch<'a> {
    /// The users' low halves.
    pub users: &'a [u16],
    /// One bit a row; `None`: all of them.
    pub mask: Option<&'a [u64]>,
    /// The values of the wanted properties.
    pub values: [Values<'a>; 2],
    /// When they happened.
    pub instants: Instants<'a>,
}

/// The values of the wanted property in a [`Batch`].
#[derive(Clone, Copy)]
pub(super) enum Values<'a> {
    /// No row has it, or none is wanted.
    None,
    /// Rows from `start` on.
    Column { column: &'a Column, start: usize },
    /// A cell a row.
    Cells(&'a [Cell]),
}

impl Values<'_> {
    pub(super) fn get(&self, row: usize) -> Cell {
        match self {
            Self::None => Cell::Missing,
            Self::Column { column, start } => column.get(start + row),
            Self::Cells(cells) => cells.get(row).copied().unwrap_or(Cell::Missing),
        }
    }
}

/// The instants and places in the order of arrival of a [`Batch`].
#[derive(Clone, Copy)]
pub(super) enum Instants<'a> {
    Part { part: &'a Part, start: usize },
    List(&'a [(i64, u64)]),
}

impl Instants<'_> {
    pub(super) fn at(&self, row: usize) -> i64 {
        match self {
            Self::Part { part, start } => part.at(start + row),
            Self::List(list) => list[row].0,
        }
    }

    pub(super) fn tie(&self, row: usize) -> u64 {
        match self {
            Self::Part { part, start } => part.tie(start + row),
            Self::List(list) => list[row].1,
        }
    }
}

impl Batch<'_> {
    /// Visits the rows that count.
    #[inline(always)]
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize)) {
        match self.mask {
            Some(words) => kernel::for_each_bit(words, visit),
            None => (0..self.users.len()).for_each(|row| visit(row)),
        }
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        store: &'a Snapshot,
        matcher: &'a Matcher,
        t: i64,
        bounds: Bounds,
        wanted: [Option<&str>; 2],
    ) -> Self {
        let filter = matcher.compiled().map(|compiled| RowFilter {
            properties: compiled.names().iter().map(|name| store.properties.find(name)).collect(),
            single: match matcher.filter() {
                Some(Filter::Property { test, .. }) => CompiledTest::new(test).ok(),
                _ => None,
            },
            bound: compiled.at(t),
            t,
        });
        let wanted = wanted.map(|name| name.and_then(|name| store.properties.find(name)));
        Self { store, names: store.matching_names(matcher.events()), bounds, filter, wanted }
    }

    pub(super) fn names(&self) -> &[u32] {
        &self.names
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    fn parts(&self, name: u32) -> &'a [std::sync::Arc<Part>] {
        let shelf = self.store.shelves.get(name as usize);
        shelf.map_or(&[][..], |shelf| shelf.parts_between(self.bounds.lo, self.bounds.hi))
    }

    fn all_parts(&self) -> impl Iterator<Item = &'a std::sync::Arc<Part>> {
        self.names.iter().flat_map(|&name| self.parts(name))
    }

    /// The dictionary of the first wanted property in each part, and how many rows the part has.
    pub(super) fn dictionaries(&self) -> impl Iterator<Item = (&'a [Cell], usize)> {
        let wanted = self.wanted[0];
        self.all_parts().filter_map(move |part| Some((part.column(wanted?)?.dict(), part.len())))
    }

    /// The first wanted property of the rows of the tail, those without it included.
    pub(super) fn tail_cells(&self) -> impl Iterator<Item = Cell> {
        let rows = self.names.iter().flat_map(|&name| self.store.tail.rows_of_name(name));
        rows.map(|row| {
            let found = row.properties.iter().find(|(property, _)| Some(*property) == self.wanted[0]);
            found.map_or(Cell::Missing, |(_, cell)| *cell)
        })
    }

    /// Instants between which all events of the scan lie; `None` where there is no event.
    pub(super) fn instants(&self) -> Option<(i64, i64)> {
        let sealed = self.all_parts().flat_map(|part| [part.span().0, part.last_instant()]);
        let tail = self.names.iter().flat_map(|&name| self.store.tail.rows_of_name(name)).map(|row| row.at);
        let (first, last) =
            sealed.chain(tail).fold((i64::MAX, i64::MIN), |(a, b), at| (a.min(at), b.max(at)));
        (first <= last).then_some((first.max(self.bounds.lo), last.min(self.bounds.hi)))
    }

    /// Visits the rows of the users of one block.
    pub(super) fn block(&self, high: u16, visit: &mut impl FnMut(&Batch<'_>)) {
        let mut mask = None;
        for &name in &self.names {
            for part in self.parts(name) {
                if let Some(block) = part.block(high) {
                    self.part(part, block.rows(), &mut mask, visit);
                }
            }
        }
        self.tail(high, visit);
    }

    fn part(
        &self,
        part: &Part,
        rows: Range<usize>,
        mask: &mut Option<Vec<u64>>,
        visit: &mut impl FnMut(&Batch<'_>),
    ) {
        mask_instants(part, rows.clone(), self.bounds, mask);
        if let Some(filter) = &self.filter {
            filter.mask(self.store, part, rows.clone(), mask);
        }
        let values = self.wanted.map(|wanted| match wanted.and_then(|property| part.column(property)) {
            Some(column) => Values::Column { column, start: rows.start },
            None => Values::None,
        });
        visit(&Batch {
            users: &part.users()[rows.clone()],
            mask: mask.as_deref(),
            values,
            instants: Instants::Part { part, start: rows.start },
        });
    }

    fn tail(&self, high: u16, visit: &mut impl FnMut(&Batch<'_>)) {
        let (mut users, mut instants) = (Vec::new(), Vec::new());
        let mut cells = [Vec::new(), Vec::new()];
        for &name in &self.names {
            for row in self.store.tail.rows_of_name(name) {
                if row.user >> 16 != u32::from(high)
                    || !self.bounds.contains(row.at)
                    || self.filter.as_ref().is_some_and(|filter| !filter.passes(self.store, row.properties))
                {
                    continue;
                }
                #[allow(clippy::cast_possible_truncation)] // the low half
                users.push(row.user as u16);
                instants.push((row.at, row.tie));
                for (cells, wanted) in cells.iter_mut().zip(self.wanted) {
                    let cell = row.properties.iter().find(|(property, _)| Some(*property) == wanted);
                    cells.push(cell.map_or(Cell::Missing, |(_, cell)| *cell));
                }
            }
        }
        if !users.is_empty() {
            let values = [Values::Cells(&cells[0]), Values::Cells(&cells[1])];
            visit(&Batch { users: &users, mask: None, values, instants: Instants::List(&instants) });
        }
    }
}

/// Bits of the rows within the bounds; `None` where all are.
#[allow(clippy::cast_possible_truncation)] // the quarters of an instant
pub(super) fn mask_instants(part: &Part, rows: Range<usize>, bounds: Bounds, made: &mut Option<Vec<u64>>) {
    let (start, end) = part.span();
    let (lo, hi) = (bounds.lo.max(start), bounds.hi.min(end));
    if (lo, hi) == (start, end) {
        *made = None;
        return;
    }
    let mask = made.get_or_insert_default();
    mask.clear();
    if lo > hi {
        mask.resize(rows.len().div_ceil(64), 0);
        return;
    }
    let coarse = &part.coarse()[rows.clone()];
    let (low, high) = ((lo >> 16) as u16, (hi >> 16) as u16);
    kernel::between(coarse, low, high, mask);
    // The rows of the two edge units look at their fine half.
    let fine = &part.fine()[rows];
    let mut edge = Vec::new();
    let mut refine = |unit: u16, passes: &dyn Fn(u16) -> bool| {
        edge.clear();
        kernel::between(coarse, unit, unit, &mut edge);
        kernel::for_each_bit(&edge, |row| {
            if !passes(fine[row]) {
                mask[row / 64] &= !(1 << (row % 64));
            }
        });
    };
    if lo as u16 != 0 {
        refine(low, &|fine| fine >= lo as u16);
    }
    if hi as u16 != u16::MAX {
        refine(high, &|fine| fine <= hi as u16);
    }
}

impl RowFilter<'_> {
    fn passes(&self, store: &Snapshot, cells: &[(u32, Cell)]) -> bool {
        self.bound.passes_by(|i| {
            let property = self.properties.get(i).copied().flatten()?;
            store.value(cells.iter().find(|(have, _)| *have == property)?.1)
        })
    }

    /// Keeps in the mask (all rows where it is not made yet) those that pass.
    fn mask(&self, store: &Snapshot, part: &Part, rows: Range<usize>, made: &mut Option<Vec<u64>>) {
        if let (Some(test), [property]) = (&self.single, self.properties.as_slice()) {
            let column = property.and_then(|property| part.column(property));
            return single(store, &test.at(self.t), column, rows, made);
        }
        let mask = made.get_or_insert_with(|| all(rows.len()));
        let columns: Vec<Option<&Column>> =
            self.properties.iter().map(|property| property.and_then(|p| part.column(p))).collect();
        let mut passing = mask.clone();
        kernel::for_each_bit(mask, |row| {
            let value = |i: usize| store.value(columns.get(i).copied().flatten()?.get(rows.start + row));
            if !self.bound.passes_by(value) {
                passing[row / 64] &= !(1 << (row % 64));
            }
        });
        *mask = passing;
    }
}

/// A mask of all rows.
fn all(rows: usize) -> Vec<u64> {
    let mut mask = vec![!0; rows / 64];
    if !rows.is_multiple_of(64) {
        mask.push((1 << (rows % 64)) - 1);
    }
    mask
}

/// One test of one property: asked once of each entry of the dictionary, then compared code by code.
fn single(
    store: &Snapshot,
    test: &BoundTest<'_>,
    column: Option<&Column>,
    rows: Range<usize>,
    made: &mut Option<Vec<u64>>,
) {
    let Some(column) = column else {
        if !test.passes(None) {
            *made = Some(vec![0; rows.len().div_ceil(64)]);
        }
        return;
    };
    let passing: Vec<bool> = column.dict().iter().map(|&cell| test.passes(store.value(cell))).collect();
    let mut filtered = Vec::with_capacity(rows.len().div_ceil(64));
    passing_codes(column.codes(), rows, &passing, &mut filtered);
    match made {
        Some(mask) => kernel::and(mask, &filtered),
        None => *made = Some(filtered),
    }
}

/// Appends the bits of the rows whose code passes.
pub(super) fn passing_codes(codes: &Codes, rows: Range<usize>, passing: &[bool], mask: &mut Vec<u64>) {
    match codes {
        Codes::U8(codes) => mask_codes(&codes[rows], passing, mask),
        Codes::U16(codes) => mask_codes(&codes[rows], passing, mask),
        Codes::U32(codes) => look_up(codes[rows].iter().copied(), passing, mask),
    }
}

/// Runs of passing codes up to which comparing beats looking up.
const RUNS: usize = 4;

fn mask_codes<E: kernel::Entry + TryFrom<usize> + Into<u32>>(
    codes: &[E],
    passing: &[bool],
    mask: &mut Vec<u64>,
) {
    let mut runs = Vec::new();
    let mut start = 0;
    for run in passing.chunk_by(|a, b| a == b) {
        let end = start + run.len() - 1;
        if run.first() == Some(&true)
            && let (Ok(lo), Ok(hi)) = (E::try_from(start), E::try_from(end))
        {
            runs.push((lo, hi));
        }
        start = end + 1;
    }
    if runs.len() > RUNS {
        return look_up(codes.iter().map(|&code| code.into()), passing, mask);
    }
    mask.resize(codes.len().div_ceil(64), 0);
    let mut of_run = Vec::new();
    for (lo, hi) in runs {
        of_run.clear();
        kernel::between(codes, lo, hi, &mut of_run);
        kernel::or(mask, &of_run);
    }
}

fn look_up(codes: impl ExactSizeIterator<Item = u32>, passing: &[bool], mask: &mut Vec<u64>) {
    mask.resize(codes.len().div_ceil(64), 0);
    for (row, code) in codes.enumerate() {
        let bit = u64::from(passing.get(code as usize).copied().unwrap_or(false));
        mask[row / 64] |= bit << (row % 64);
    }
}
