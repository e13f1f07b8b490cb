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
use super::filter::{Filtering, PartFilter};
use crate::plan::Matcher;
use crate::plan::bounds::Bounds;

/// Users of one high half.
pub(super) const BLOCK: usize = 1 << 16;

/// The events of a matcher within some instants, ready to be scanned.
pub(super) struct Scan<'a> {
    names: Vec<u32>,
    bounds: Bounds,
    parts: Vec<PartScan<'a>>,
    /// What counts of the tail, by user.
    tail: Vec<TailHit>,
}

/// A part, with what is needed of it found beforehand.
pub(super) struct PartScan<'a> {
    pub part: &'a Part,
    /// The wanted properties; `None`: none is wanted, or no row has it.
    pub columns: [Option<&'a Column>; 2],
    filter: PartFilter<'a>,
}

/// An event of the tail that counts.
#[derive(Clone, Copy)]
pub(super) struct TailHit {
    user: u32,
    pub at: i64,
    pub tie: u64,
    /// The wanted properties.
    pub cells: [Cell; 2],
}

/// Some rows of one block, and which of them count.
pub(super) enum Batch<'a> {
    /// Rows of a part.
    Part {
        /// The place of the part among those of the scan.
        index: usize,
        scanned: &'a PartScan<'a>,
        rows: Range<usize>,
        /// The users' low halves.
        users: &'a [u16],
        /// One bit a row; `None`: all of them.
        mask: Option<&'a [u64]>,
    },
    /// All of these.
    Tail(&'a [TailHit]),
}

impl PartScan<'_> {
    /// Visits rows of users that a mask leaves, as low half of the user and code of the first wanted property; none
    /// where no row has it.
    #[inline(always)]
    pub(super) fn for_each_code(
        &self,
        rows: &Range<usize>,
        users: &[u16],
        mask: Option<&[u64]>,
        mut visit: impl FnMut(usize, usize),
    ) {
        macro_rules! of_width {
            ($codes:expr) => {{
                let codes = &$codes[rows.clone()];
                for_each(
                    mask,
                    users.len(),
                    #[inline(always)]
                    |i| visit(usize::from(users[i]), codes[i] as usize),
                );
            }};
        }
        match self.columns[0].map(Column::codes) {
            Some(Codes::U8(codes)) => of_width!(codes),
            Some(Codes::U16(codes)) => of_width!(codes),
            Some(Codes::U32(codes)) => of_width!(codes),
            None => {}
        }
    }
}

impl TailHit {
    /// The low half of the user.
    #[allow(clippy::cast_possible_truncation)] // the half
    pub(super) fn low(&self) -> usize {
        usize::from(self.user as u16)
    }
}

/// Words of a mask whose rows are found together.
const TOGETHER: usize = 64;

/// Visits the rows that a mask leaves, in an order of its own.
///
/// Rows of one user follow each other, and adding to a user waits for the addition before: four places are
/// visited in turn, so that four users are added to at once.
#[inline(always)]
pub(super) fn for_each(mask: Option<&[u64]>, rows: usize, mut visit: impl FnMut(usize)) {
    match mask {
        Some(words) => {
            let mut left = [0u16; 64 * TOGETHER + 64];
            for (start, words) in (0..).step_by(64 * TOGETHER).zip(words.chunks(TOGETHER)) {
                let found = kernel::positions(words, &mut left);
                in_turn(
                    found,
                    #[inline(always)]
                    |i| visit(start + usize::from(left[i])),
                );
            }
        }
        None => in_turn(rows, visit),
    }
}

/// Visits the rows that a mask leaves, in their order.
fn in_order(mask: Option<&[u64]>, rows: usize, visit: impl FnMut(usize)) {
    match mask {
        Some(words) => kernel::for_each_bit(words, visit),
        None => (0..rows).for_each(visit),
    }
}

#[inline(always)]
fn in_turn(len: usize, mut visit: impl FnMut(usize)) {
    let quarter = len / 4;
    for i in 0..quarter {
        visit(i);
        visit(i + quarter);
        visit(i + 2 * quarter);
        visit(i + 3 * quarter);
    }
    for i in 4 * quarter..len {
        visit(i);
    }
}

impl Batch<'_> {
    /// Visits the low half of the user of each row that counts, once a row.
    #[inline(always)]
    pub(super) fn for_each_user(&self, mut visit: impl FnMut(usize)) {
        match self {
            Self::Part { users, mask, .. } => {
                for_each(
                    *mask,
                    users.len(),
                    #[inline(always)]
                    |row| visit(usize::from(users[row])),
                );
            }
            Self::Tail(hits) => hits.iter().for_each(|hit| visit(hit.low())),
        }
    }

    /// Visits the rows that count as low half of the user, instant, place in the order of arrival, and values.
    pub(super) fn for_each_hit(&self, mut visit: impl FnMut(usize, i64, u64, [Cell; 2])) {
        match self {
            Self::Part { scanned: PartScan { part, columns, .. }, rows, users, mask, .. } => {
                in_order(*mask, users.len(), |i| {
                    let row = rows.start + i;
                    let cells = columns.map(|column| column.map_or(Cell::Missing, |column| column.get(row)));
                    visit(usize::from(users[i]), part.at(row), part.tie(row), cells);
                });
            }
            Self::Tail(hits) => hits.iter().for_each(|hit| visit(hit.low(), hit.at, hit.tie, hit.cells)),
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
        let names = store.matching_names(matcher.events());
        let filtering = Filtering::new(store, matcher, t);
        let wanted = wanted.map(|name| name.and_then(|name| store.properties.find(name)));
        let parts = store.parts_of_names(&names, bounds).map(|part| PartScan {
            part,
            columns: wanted.map(|wanted| wanted.and_then(|property| part.column(property))),
            filter: filtering.of_part(part),
        });
        let mut scan = Self { parts: parts.collect(), tail: Vec::new(), names, bounds };
        scan.read_tail(store, &filtering, wanted);
        scan
    }

    fn read_tail(&mut self, store: &Snapshot, filtering: &Filtering<'_>, wanted: [Option<u32>; 2]) {
        for row in self.names.iter().flat_map(|&name| store.tail.rows_of_name(name)) {
            if self.bounds.contains(row.at) && filtering.passes(row.properties) {
                let cells = wanted.map(|wanted| {
                    let found = row.properties.iter().find(|(property, _)| Some(*property) == wanted);
                    found.map_or(Cell::Missing, |(_, cell)| *cell)
                });
                self.tail.push(TailHit { user: row.user, at: row.at, tie: row.tie, cells });
            }
        }
        self.tail.sort_by_key(|hit| hit.user);
    }

    /// The parts, in the order of their index in a batch.
    pub(super) fn parts(&self) -> &[PartScan<'a>] {
        &self.parts
    }

    pub(super) fn tail(&self) -> &[TailHit] {
        &self.tail
    }

    /// Instants between which all events of the scan lie; `None` where there is no event.
    pub(super) fn instants(&self) -> Option<(i64, i64)> {
        let sealed =
            self.parts.iter().flat_map(|scanned| [scanned.part.span().0, scanned.part.last_instant()]);
        let tail = self.tail.iter().map(|hit| hit.at);
        let (first, last) =
            sealed.chain(tail).fold((i64::MAX, i64::MIN), |(a, b), at| (a.min(at), b.max(at)));
        (first <= last).then_some((first.max(self.bounds.lo), last.min(self.bounds.hi)))
    }

    /// Visits the rows of the users of one block.
    #[inline]
    pub(super) fn block(&self, high: u16, visit: &mut impl FnMut(&Batch<'_>)) {
        let mut mask = None;
        for (index, scanned) in self.parts.iter().enumerate() {
            let Some(block) = scanned.part.block(high) else { continue };
            let rows = block.rows();
            mask_instants(scanned.part, rows.clone(), self.bounds, &mut mask);
            scanned.filter.mask(rows.clone(), &mut mask);
            let users = &scanned.part.users()[rows.clone()];
            visit(&Batch::Part { index, scanned, rows, users, mask: mask.as_deref() });
        }
        let start = self.tail.partition_point(|hit| hit.user >> 16 < u32::from(high));
        let len = self.tail[start..].partition_point(|hit| hit.user >> 16 == u32::from(high));
        if len > 0 {
            visit(&Batch::Tail(&self.tail[start..start + len]));
        }
    }
}

/// Bits of the rows within the bounds; `None` where all are.
#[allow(clippy::cast_possible_truncation)] // the quarters of an instant
pub(super) fn mask_instants(part: &Part, rows: Range<usize>, bounds: Bounds, made: &mut Option<Vec<u64>>) {
    let (start, end) = part.span();
    let (lo, hi) = (bounds.lo.max(start), bounds.hi.min(end));
    if bounds.lo <= part.first_instant() && part.last_instant() <= bounds.hi {
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
