//! Who was active in each day, week or month: sets that stay as they are once the unit is over.
//!
//! "On at least 5 of the last 14 days" adds up a set a day. The two units that the window cuts are made from the
//! last instant of each user within the unit, which does not depend on where the cut is.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::super::bits::Bits;
use super::super::kernel;
use super::super::part::{Part, bucket_of};
use super::super::snapshot::Snapshot;
use super::counts::{Thresholds, exact, thresholds};
use super::instants::Which;
use super::scan::Scan;
use crate::plan::bounds::Bounds;
use crate::plan::calendar::Zone;
use crate::segment::Range;
use crate::time::Unit;

/// Units that are added up at the most.
const UNITS: i64 = 64;

/// Who was active in each unit, as far as one bucket knows.
#[derive(Debug)]
pub(super) struct UnitBits {
    /// By unit.
    sets: BTreeMap<i64, Bits>,
}

impl UnitBits {
    pub(super) fn new(store: &Snapshot, names: &[u32], unit: Unit, tz: Tz, bucket: Bounds) -> Self {
        let zone = Zone::of(tz);
        let shelves = names.iter().filter_map(|&name| store.shelves.get(name as usize));
        let parts: Vec<&Arc<Part>> =
            shelves.flat_map(|shelf| shelf.parts_between(bucket.lo, bucket.hi)).collect();
        let first = zone.unit_of(unit, bucket.lo);
        let units = usize::try_from(zone.unit_of(unit, bucket.hi) - first + 1).unwrap_or(1);
        let mut sets: Vec<Vec<u64>> = vec![Vec::new(); units];
        let (mut cursor, room) = (zone.units(unit), store.room() / 64);
        for high in store.blocks() {
            // one block of all units fits the cache
            let mut block = vec![0u64; units * room];
            for part in &parts {
                let Some(rows) = part.block(high).map(|block| block.rows()) else { continue };
                for (row, &low) in rows.clone().zip(&part.users()[rows]) {
                    let unit = usize::try_from(cursor.of(part.at(row)) - first).unwrap_or(0);
                    block[unit * room + usize::from(low) / 64] |= 1 << (low % 64);
                }
            }
            sets.iter_mut().zip(block.chunks(room)).for_each(|(set, words)| set.extend_from_slice(words));
        }
        Self { sets: (first..).zip(sets.into_iter().map(Bits::from_words)).collect() }
    }

    pub(super) fn memory(&self) -> usize {
        self.sets.values().map(|set| set.memory() + 48).sum()
    }
}

/// The users whose number of active units lies in the range; `None` where this way is not for it.
pub(super) fn by_units(
    store: &Snapshot,
    scan: &Scan<'_>,
    unit: Unit,
    tz: Tz,
    range: &Range,
    patch: impl Fn(&mut Bits),
) -> Option<Bits> {
    if scan.is_filtered() || unit == Unit::Hour {
        return None;
    }
    let zone = Zone::of(tz);
    let (lo, hi) = scan.instants().filter(|(lo, hi)| lo <= hi)?;
    let (first, last) = (zone.unit_of(unit, lo), zone.unit_of(unit, hi));
    if last - first >= UNITS {
        return None;
    }
    let Thresholds { low, above } = thresholds(range);
    let low = u8::try_from(low.unwrap_or(0).min(126)).unwrap_or(126);
    let high = u8::try_from(above.unwrap_or(127).min(127)).ok()?.checked_sub(1);
    let mut bits = Bits::none(store.users.numbers());
    if let Some(high) = high {
        let sets: Vec<Bits> = (first..=last).map(|index| active_in(store, scan, unit, tz, index)).collect();
        let words: Vec<&[u64]> = sets.iter().map(Bits::words).collect();
        kernel::counts_within(&words, low, high, bits.words_mut());
    }
    patch(&mut bits);
    Some(bits)
}

/// Who has a sealed event of the scan in one unit of its window.
fn active_in(store: &Snapshot, scan: &Scan<'_>, unit: Unit, tz: Tz, index: i64) -> Bits {
    let (zone, window) = (Zone::of(tz), scan.bounds());
    let whole = Bounds { lo: zone.unit_start(unit, index), hi: zone.unit_start(unit, index + 1) - 1 };
    let inside = whole.and(window);
    let mut set = Bits::default();
    if inside == whole {
        for bucket in bucket_of(whole.lo)..=bucket_of(whole.hi) {
            if let Some(known) = store.unit_bits(scan.names(), unit, tz, bucket).sets.get(&index) {
                set.or(known);
            }
        }
    } else if inside.lo <= inside.hi {
        // of the events up to the later end of the window the last is the one that the earlier end asks for
        let counted = Bounds { hi: inside.hi, ..whole };
        let index = store.instants(scan.names(), Which::Latest(1), counted);
        set = index.within(inside, |user| exact(store, scan.names(), Which::Latest(1), counted, user));
    }
    set
}
