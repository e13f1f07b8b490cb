//! How long after each event of some names the next event of some others comes, of the same user.
//!
//! Decides two-step sequences with a `within`, and single steps with a `then_not`, by one comparison a row.

use super::super::bits::Bits;
use super::super::kernel;
use super::super::part::Part;
use super::super::snapshot::Snapshot;
use super::scan::{for_each, mask_instants};
use crate::plan::bounds::Bounds;

/// A gap that is longer than all that can be told apart, or endless.
const ENDLESS: u32 = u32::MAX;

/// The gaps of the rows of some parts. Holds no part: what is erased from the store must not live on in an index.
#[derive(Debug)]
pub(super) struct Gaps {
    /// In milliseconds, strictly positive, one a row; by part, in the order of the shelves.
    parts: Vec<Vec<u32>>,
}

/// The sealed parts of some names.
fn parts_of<'a>(store: &'a Snapshot, names: &[u32]) -> Vec<&'a Part> {
    let shelves = names.iter().filter_map(|&name| store.shelves.get(name as usize));
    shelves.flat_map(|shelf| shelf.parts()).map(AsRef::as_ref).collect()
}

/// What is asked of an event and the gap after it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follows {
    /// The next comes within so many milliseconds, and at or before an instant.
    Within(u32, i64),
    /// None comes within so many milliseconds.
    NotWithin(u32),
}

impl Gaps {
    pub(super) fn new(store: &Snapshot, before: &[u32], after: &[u32]) -> Self {
        let (earlier, later) = (parts_of(store, before), parts_of(store, after));
        let mut parts: Vec<_> = earlier.iter().map(|part| Vec::with_capacity(part.len())).collect();
        for high in store.blocks() {
            let next = Next::of_block(&later, high);
            for (part, gaps) in earlier.iter().zip(&mut parts) {
                let Some(block) = part.block(high) else { continue };
                // rows come by user and time, as the later ones do
                let mut from = 0;
                gaps.extend(block.rows().map(|row| next.gap(part.users()[row], part.at(row), &mut from)));
            }
        }
        Self { parts }
    }

    /// The users with an event in the bounds that is followed as asked; `before` and the parts of the store are
    /// those that the gaps were made from.
    pub(super) fn users(&self, store: &Snapshot, before: &[u32], bounds: Bounds, follows: Follows) -> Bits {
        let (room, mut bits) = (store.room(), Bits::none(store.room() * store.blocks().count()));
        let (mut mask, mut instants) = (Vec::new(), None);
        for (part, gaps) in parts_of(store, before).into_iter().zip(&self.parts) {
            let (start, end) = part.span();
            if end < bounds.lo || start > bounds.hi {
                continue;
            }
            for block in part.blocks() {
                let words = &mut bits.words_mut()[usize::from(block.high) * room / 64..][..room / 64];
                let (users, gaps) = (&part.users()[block.rows()], &gaps[block.rows()]);
                mask.clear();
                match follows {
                    Follows::Within(most, _) => kernel::between(gaps, 0, most, &mut mask),
                    Follows::NotWithin(least) => {
                        kernel::between(gaps, least.saturating_add(1), ENDLESS, &mut mask)
                    }
                }
                mask_instants(part, block.rows(), bounds, &mut instants);
                if let Some(instants) = &instants {
                    kernel::and(&mut mask, instants);
                }
                for_each(
                    Some(&mask),
                    users.len(),
                    #[inline(always)]
                    |i| {
                        let in_time = match follows {
                            Follows::Within(_, until) => {
                                part.at(block.start as usize + i) + i64::from(gaps[i]) <= until
                            }
                            Follows::NotWithin(_) => true,
                        };
                        let low = usize::from(users[i]);
                        words[low / 64] |= u64::from(in_time) << (low % 64);
                    },
                );
            }
        }
        bits
    }

    pub(super) fn memory(&self) -> usize {
        self.parts.iter().map(|gaps| gaps.capacity() * 4 + 24).sum()
    }
}

/// The later events of one block, by user and time.
struct Next {
    rows: Vec<(u16, i64)>,
}

impl Next {
    fn of_block(parts: &[&Part], high: u16) -> Self {
        let mut rows = Vec::new();
        for part in parts {
            if let Some(block) = part.block(high) {
                rows.extend(block.rows().map(|row| (part.users()[row], part.at(row))));
            }
        }
        // stable, since the parts come in order of time but for those of one bucket
        rows.sort();
        Self { rows }
    }

    /// How long after an instant the user's next event comes. `from` only goes forward.
    fn gap(&self, user: u16, at: i64, from: &mut usize) -> u32 {
        let later = self.rows.get(*from..).unwrap_or_default();
        *from += later.iter().take_while(|row| **row <= (user, at)).count();
        match self.rows.get(*from) {
            Some((next, then)) if *next == user => u32::try_from(then - at).unwrap_or(ENDLESS),
            _ => ENDLESS,
        }
    }
}
