//! Filters on properties as masks of rows: a test is asked once of each entry of a dictionary, then codes are
//! compared.

use std::ops::{Bound as StdBound, Range};

use super::super::cell::Cell;
use super::super::column::{Codes, Column};
use super::super::kernel;
use super::super::part::Part;
use super::super::snapshot::Snapshot;
use crate::plan::Matcher;
use crate::plan::filter::BoundFilter;
use crate::plan::test::CompiledTest;
use crate::segment::{Comparison, Filter};
use crate::value::Number;

/// The filter of a matcher at one `T`, in terms of the store's properties.
pub(super) struct Filtering<'a> {
    store: &'a Snapshot,
    t: i64,
    /// `None`: every event passes.
    filter: Option<Bound<'a>>,
}

struct Bound<'a> {
    bound: BoundFilter<'a>,
    /// The properties by the filter's own numbering; `None`: no event has it.
    properties: Vec<Option<u32>>,
    /// Where the filter is one test of one property: the test on that property.
    single: Option<CompiledTest>,
    /// Where that test is a range of numbers: the range.
    bounds: Option<(StdBound<Number>, StdBound<Number>)>,
}

/// A filter on the rows of one part.
pub(super) enum PartFilter<'a> {
    All,
    None,
    /// Rows whose code passes.
    Codes(&'a Codes, Passing),
    /// Rows that pass one by one: bits of the whole part.
    Rows(Vec<u64>),
}

/// The codes of a dictionary that pass.
pub(super) enum Passing {
    /// In few runs, both ends included.
    Runs(Vec<(u32, u32)>),
    /// By code.
    Table(Vec<bool>),
}

impl<'a> Filtering<'a> {
    pub(super) fn new(store: &'a Snapshot, matcher: &'a Matcher, t: i64) -> Self {
        let filter = matcher.compiled().map(|compiled| Bound {
            properties: compiled.names().iter().map(|name| store.properties.find(name)).collect(),
            single: match matcher.filter() {
                Some(Filter::Property { test, .. }) => CompiledTest::new(test).ok(),
                _ => None,
            },
            bounds: match matcher.filter() {
                Some(Filter::Property { test, .. }) => number_range(&test.comparison),
                _ => None,
            },
            bound: compiled.at(t),
        });
        Self { store, t, filter }
    }

    /// Whether an event with these properties passes.
    pub(super) fn passes(&self, cells: &[(u32, Cell)]) -> bool {
        self.filter.as_ref().is_none_or(|filter| {
            filter.bound.passes_by(|i| {
                let property = filter.properties.get(i).copied().flatten()?;
                self.store.value(cells.iter().find(|(have, _)| *have == property)?.1)
            })
        })
    }

    pub(super) fn of_part(&self, part: &'a Part) -> PartFilter<'a> {
        let Some(filter) = &self.filter else { return PartFilter::All };
        let columns: Vec<Option<&Column>> =
            filter.properties.iter().map(|property| property.and_then(|p| part.column(p))).collect();
        if let (Some(test), [column]) = (&filter.single, columns.as_slice()) {
            let test = test.at(self.t);
            return match column {
                None if test.passes(None) => PartFilter::All,
                None => PartFilter::None,
                Some(column) => {
                    let one_by_one = || {
                        let passes = |&cell: &Cell| test.passes(self.store.value(cell));
                        Passing::new(column.dict().iter().map(passes).collect())
                    };
                    let in_order = filter.bounds.and_then(|bounds| Passing::in_order(column.dict(), bounds));
                    PartFilter::Codes(column.codes(), in_order.unwrap_or_else(one_by_one))
                }
            };
        }
        let mut rows = vec![0u64; part.len().div_ceil(64)];
        for row in 0..part.len() {
            let value = |i: usize| self.store.value(columns.get(i).copied().flatten()?.get(row));
            rows[row / 64] |= u64::from(filter.bound.passes_by(value)) << (row % 64);
        }
        PartFilter::Rows(rows)
    }
}

/// The numbers that a comparison with numbers passes.
fn number_range(comparison: &Comparison) -> Option<(StdBound<Number>, StdBound<Number>)> {
    use StdBound::{Excluded, Included, Unbounded};
    Some(match comparison {
        Comparison::Gt(than) => (Excluded(than.number()?), Unbounded),
        Comparison::Gte(than) => (Included(than.number()?), Unbounded),
        Comparison::Lt(than) => (Unbounded, Excluded(than.number()?)),
        Comparison::Lte(than) => (Unbounded, Included(than.number()?)),
        Comparison::Between(low, high) => (Included(low.number()?), Included(high.number()?)),
        _ => return None,
    })
}

impl PartFilter<'_> {
    /// Keeps in the mask of some rows (all of them where it is not made yet) those that pass.
    pub(super) fn mask(&self, rows: Range<usize>, made: &mut Option<Vec<u64>>) {
        let mut passing = Vec::new();
        match self {
            Self::All => return,
            Self::None => passing.resize(rows.len().div_ceil(64), 0),
            Self::Codes(codes, codes_passing) => codes_passing.mask(codes, rows, &mut passing),
            Self::Rows(words) => shifted(words, rows, &mut passing),
        }
        match made {
            Some(mask) => kernel::and(mask, &passing),
            None => *made = Some(passing),
        }
    }
}

/// The bits of some rows, moved to start at 0.
fn shifted(words: &[u64], rows: Range<usize>, out: &mut Vec<u64>) {
    let (first, shift) = (rows.start / 64, rows.start % 64);
    let word = |i: usize| words.get(i).copied().unwrap_or(0);
    for i in 0..rows.len().div_ceil(64) {
        let above = if shift == 0 { 0 } else { word(first + i + 1) << (64 - shift) };
        out.push(word(first + i) >> shift | above);
    }
    kernel::end_with(out, rows.len());
}

/// Runs of passing codes up to which comparing beats looking up.
const RUNS: usize = 4;

impl Passing {
    #[allow(clippy::cast_possible_truncation)] // a dictionary has fewer than 2^32 entries
    pub(super) fn new(passing: Vec<bool>) -> Self {
        let mut runs = Vec::new();
        let mut start = 0;
        for run in passing.chunk_by(|a, b| a == b) {
            if run.first() == Some(&true) {
                runs.push((start as u32, (start + run.len() - 1) as u32));
            }
            start += run.len();
        }
        if runs.len() <= RUNS { Self::Runs(runs) } else { Self::Table(passing) }
    }

    /// The codes of the numbers in a range, found in a sorted dictionary; `None` where lists may pass as well.
    #[allow(clippy::cast_possible_truncation)] // a dictionary has fewer than 2^32 entries
    fn in_order(dict: &[Cell], (low, high): (StdBound<Number>, StdBound<Number>)) -> Option<Self> {
        if matches!(dict.last(), Some(Cell::Many(_))) {
            return None;
        }
        // numbers follow each other, after what is missing and bools
        let is_before_numbers = |cell: &Cell| matches!(cell, Cell::Missing | Cell::Bool(_));
        let from = dict.partition_point(|cell| match (cell.number(), low) {
            (Some(n), StdBound::Included(low)) => n < low,
            (Some(n), StdBound::Excluded(low)) => n <= low,
            (Some(_), StdBound::Unbounded) => false,
            (None, _) => is_before_numbers(cell),
        });
        let until = dict.partition_point(|cell| match (cell.number(), high) {
            (Some(n), StdBound::Included(high)) => n <= high,
            (Some(n), StdBound::Excluded(high)) => n < high,
            (Some(_), StdBound::Unbounded) => true,
            (None, _) => is_before_numbers(cell),
        });
        let run = (from < until).then(|| (from as u32, until as u32 - 1));
        Some(Self::Runs(run.into_iter().collect()))
    }

    /// Appends the bits of the rows whose code passes.
    pub(super) fn mask(&self, codes: &Codes, rows: Range<usize>, mask: &mut Vec<u64>) {
        match (self, codes) {
            (Self::Runs(runs), Codes::U8(codes)) => by_runs(runs, &codes[rows], mask),
            (Self::Runs(runs), Codes::U16(codes)) => by_runs(runs, &codes[rows], mask),
            (Self::Runs(runs), Codes::U32(codes)) => by_runs(runs, &codes[rows], mask),
            (Self::Table(table), Codes::U8(codes)) => by_table(table, &codes[rows], mask),
            (Self::Table(table), Codes::U16(codes)) => by_table(table, &codes[rows], mask),
            (Self::Table(table), Codes::U32(codes)) => by_table(table, &codes[rows], mask),
        }
    }
}

fn by_runs<E: kernel::Entry + TryFrom<u32>>(runs: &[(u32, u32)], codes: &[E], mask: &mut Vec<u64>) {
    let mut more = Vec::new();
    for (i, &(lo, hi)) in runs.iter().enumerate() {
        let (Ok(lo), Ok(hi)) = (E::try_from(lo), E::try_from(hi)) else { continue };
        if i == 0 {
            kernel::between(codes, lo, hi, mask);
        } else {
            more.clear();
            kernel::between(codes, lo, hi, &mut more);
            kernel::or(mask, &more);
        }
    }
    mask.resize(codes.len().div_ceil(64), 0);
}

fn by_table<E: Copy + Into<u32>>(table: &[bool], codes: &[E], mask: &mut Vec<u64>) {
    for codes in codes.chunks(64) {
        let mut word = 0;
        for (i, &code) in codes.iter().enumerate() {
            let passes = table.get(Into::<u32>::into(code) as usize).copied().unwrap_or(false);
            word |= u64::from(passes) << i;
        }
        mask.push(word);
    }
}
