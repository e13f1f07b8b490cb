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
use crate::plan::bounds::Bounds;
use crate::plan::filter::BoundFilter;
use crate::plan::test::CompiledTest;
use crate::plan::{Matcher, ValueRef};
use crate::segment::Filter;

/// Users of one high half.
pub(super) const BLOCK: usize = 1 << 16;

/// The events of a matcher within some instants, ready to be scanned.
pub(super) struct Scan<'a> {
    store: &'a Snapshot,
    names: Vec<u32>,
    bounds: Bounds,
    filter: Option<RowFilter<'a>>,
    /// The property whose value is wanted.
    of: Option<u32>,
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
    /// The values of the wanted property.
    pub values: Values<'a>,
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
        of: Option<&str>,
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
        let of = of.and_then(|of| store.properties.find(of));
        Self { store, names: store.matching_names(matcher.events()), bounds, filter, of }
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

    /// How many sealed rows the scan reads at the most.
    pub(super) fn rows(&self) -> usize {
        self.names.iter().flat_map(|&name| self.parts(name)).map(|part| part.len()).sum()
    }

    /// Visits the rows of the users of one block.
    pub(super) fn block(&self, high: u16, visit: &mut impl FnMut(&Batch<'_>)) {
        let mut mask = Vec::new();
        for &name in &self.names {
            for part in self.parts(name) {
                if let Some(block) = part.block(high) {
                    self.part(part, block.rows(), &mut mask, visit);
                }
            }
        }
        self.tail(high, visit);
    }

    fn part(&self, part: &Part, rows: Range<usize>, mask: &mut Vec<u64>, visit: &mut impl FnMut(&Batch<'_>)) {
        mask.clear();
        let mut masked = self.mask_instants(part, rows.clone(), mask);
        if let Some(filter) = &self.filter {
            masked |= filter.mask(self.store, part, rows.clone(), masked, mask);
        }
        let column = self.of.and_then(|of| part.column(of));
        visit(&Batch {
            users: &part.users()[rows.clone()],
            mask: masked.then_some(mask.as_slice()),
            values: column.map_or(Values::None, |column| Values::Column { column, start: rows.start }),
            instants: Instants::Part { part, start: rows.start },
        });
    }

    /// Bits of the rows within the bounds; `false` where all are.
    #[allow(clippy::cast_possible_truncation)] // the quarters of an instant
    fn mask_instants(&self, part: &Part, rows: Range<usize>, mask: &mut Vec<u64>) -> bool {
        let (start, end) = part.span();
        let (lo, hi) = (self.bounds.lo.max(start), self.bounds.hi.min(end));
        if (lo, hi) == (start, end) {
            return false;
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
        true
    }

    fn tail(&self, high: u16, visit: &mut impl FnMut(&Batch<'_>)) {
        let (mut users, mut instants, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        for &name in &self.names {
            for row in self.store.tail.rows_of_name(name) {
                #[allow(clippy::cast_possible_truncation)] // the low half
                if row.user >> 16 == u32::from(high)
                    && self.bounds.contains(row.at)
                    && self.filter.as_ref().is_none_or(|filter| filter.passes(self.store, row.properties))
                {
                    users.push(row.user as u16);
                    instants.push((row.at, row.tie));
                    let cell = row.properties.iter().find(|(property, _)| Some(*property) == self.of);
                    cells.push(cell.map_or(Cell::Missing, |(_, cell)| *cell));
                }
            }
        }
        if !users.is_empty() {
            let (values, instants) = (Values::Cells(&cells), Instants::List(&instants));
            visit(&Batch { users: &users, mask: None, values, instants });
        }
    }
}

impl RowFilter<'_> {
    fn passes(&self, store: &Snapshot, cells: &[(u32, Cell)]) -> bool {
        self.bound.passes_by(|i| {
            let property = self.properties.get(i).copied().flatten()?;
            store.value(cells.iter().find(|(have, _)| *have == property)?.1)
        })
    }

    /// Keeps in the mask (all rows where it is not made yet) those that pass. `false` where it is left unmade.
    fn mask(
        &self,
        store: &Snapshot,
        part: &Part,
        rows: Range<usize>,
        made: bool,
        mask: &mut Vec<u64>,
    ) -> bool {
        if let (Some(test), [property]) = (&self.single, self.properties.as_slice()) {
            let column = property.and_then(|property| part.column(property));
            return single(store, test, column, rows, self.t, made, mask);
        }
        if !made {
            fill(mask, rows.len());
        }
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
        true
    }
}

/// A mask of all rows.
fn fill(mask: &mut Vec<u64>, rows: usize) {
    mask.clear();
    mask.resize(rows / 64, !0);
    if !rows.is_multiple_of(64) {
        mask.push((1 << (rows % 64)) - 1);
    }
}

/// One test of one property: asked once of each entry of the dictionary, then compared code by code.
fn single(
    store: &Snapshot,
    test: &CompiledTest,
    column: Option<&Column>,
    rows: Range<usize>,
    t: i64,
    made: bool,
    mask: &mut Vec<u64>,
) -> bool {
    let bound = test.at(t);
    let passes = |value: Option<ValueRef<'_>>| bound.passes(value);
    let Some(column) = column else {
        let all = passes(None);
        if !all {
            mask.clear();
            mask.resize(rows.len().div_ceil(64), 0);
        }
        return !all || made;
    };
    let passing: Vec<bool> = column.dict().iter().map(|&cell| passes(store.value(cell))).collect();
    let mut filtered = Vec::with_capacity(rows.len().div_ceil(64));
    match column.codes() {
        Codes::U8(codes) => mask_codes(&codes[rows], &passing, &mut filtered),
        Codes::U16(codes) => mask_codes(&codes[rows], &passing, &mut filtered),
        Codes::U32(codes) => mask_wide(&codes[rows], &passing, &mut filtered),
    }
    if made {
        kernel::and(mask, &filtered);
    } else {
        *mask = filtered;
    }
    true
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

fn mask_wide(codes: &[u32], passing: &[bool], mask: &mut Vec<u64>) {
    look_up(codes.iter().copied(), passing, mask);
}

fn look_up(codes: impl ExactSizeIterator<Item = u32>, passing: &[bool], mask: &mut Vec<u64>) {
    mask.resize(codes.len().div_ceil(64), 0);
    for (row, code) in codes.enumerate() {
        let bit = u64::from(passing.get(code as usize).copied().unwrap_or(false));
        mask[row / 64] |= bit << (row % 64);
    }
}
