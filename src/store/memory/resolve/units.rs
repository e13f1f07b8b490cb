//! Who was active in each day, week or month: sets that stay as they are once the unit is over.
//!
//! "On at least 5 of the last 14 days" adds up a set a day. The two units that the window cuts are made from the
//! last instant of each user within the unit, which does not depend on where the cut is.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::super::bits::Bits;
use super::super::kernel;
use super::super::part::bucket_of;
use super::super::snapshot::Snapshot;
use super::asked::Asked;
use super::cache::{Carried, Index};
use super::instants::Which;
use super::rows::Rows;
use super::thresholds::Thresholds;
use crate::plan::bounds::Bounds;
use crate::plan::calendar::Zone;
use crate::segment::Range;
use crate::time::Unit;

/// Units that are added up at the most.
const UNITS: i64 = 64;

/// Who was active in each unit, as far as one bucket knows.
#[derive(Clone, Debug)]
pub(super) struct UnitBits {
    /// By unit.
    sets: BTreeMap<i64, Arc<Bits>>,
}

/// The active units of what: names, calendar and bucket.
pub(super) type About<'a> = (&'a [u32], Unit, Tz, i32);

/// The instants of a bucket.
fn range_of(bucket: i32) -> Bounds {
    let start = i64::from(bucket) << 32;
    Bounds { lo: start, hi: start + 0xffff_ffff }
}

impl UnitBits {
    pub(super) fn new(store: &Snapshot, (names, unit, tz, bucket): About<'_>) -> Self {
        let (zone, range) = (Zone::of(tz), range_of(bucket));
        let all = Rows::new(store, names, range);
        let first = zone.unit_of(unit, range.lo);
        let units = usize::try_from(zone.unit_of(unit, range.hi) - first + 1).unwrap_or(1);
        let mut sets: Vec<Vec<u64>> = vec![Vec::new(); units];
        let (mut cursor, room, mut rows) = (zone.units(unit), store.room() / 64, Vec::new());
        for high in store.blocks() {
            // one block of all units fits the cache
            let mut block = vec![0u64; units * room];
            all.of(bucket, high, &mut rows);
            for &(low, at) in &rows {
                let unit = usize::try_from(cursor.of(at) - first).unwrap_or(0);
                block[unit * room + usize::from(low) / 64] |= 1 << (low % 64);
            }
            sets.iter_mut().zip(block.chunks(room)).for_each(|(set, words)| set.extend_from_slice(words));
        }
        let sets = (first..).zip(sets).filter(|(_, words)| words.iter().any(|word| *word != 0));
        Self { sets: sets.map(|(unit, words)| (unit, Arc::new(Bits::from_words(words)))).collect() }
    }

    /// With the events of the log since a position.
    pub(super) fn carried(&self, store: &Snapshot, about: About<'_>, since: u64) -> Carried<Self> {
        let (names, unit, tz, bucket) = about;
        let Some(arrived) = store.events_since(since, names, range_of(bucket)) else { return Carried::Lost };
        if arrived.is_empty() {
            return Carried::Same;
        }
        let (mut this, mut cursor, mut changed) = (self.clone(), Zone::of(tz).units(unit), false);
        for (user, at) in arrived {
            let set = this.sets.entry(cursor.of(at)).or_default();
            if !set.contains(user) {
                let set = Arc::make_mut(set);
                set.grow(user as usize + 1);
                set.insert(user);
                changed = true;
            }
        }
        if changed { Carried::New(this) } else { Carried::Same }
    }
}

impl Index for UnitBits {
    fn shared(&self) -> (usize, usize) {
        (0, 0)
    }

    fn own(&self) -> usize {
        self.sets.values().map(|set| set.memory() + 80).sum()
    }

    fn erase(&mut self, user: u32) {
        let sets = self.sets.values_mut().filter(|set| set.contains(user));
        sets.for_each(|set| Arc::make_mut(set).remove(user));
    }

    #[cfg(test)]
    fn says(&self, user: u32) -> bool {
        self.sets.values().any(|set| set.contains(user))
    }
}

/// The users whose number of active units lies in the range; `None` where this way is not for it.
pub(super) fn by_units(asked: &Asked<'_>, unit: Unit, tz: Tz, range: &Range) -> Option<Bits> {
    if asked.is_filtered() || unit == Unit::Hour {
        return None;
    }
    let (zone, store) = (Zone::of(tz), asked.store);
    let (lo, hi) = asked.instants()?;
    let (first, last) = (zone.unit_of(unit, lo), zone.unit_of(unit, hi));
    if last - first >= UNITS {
        return None;
    }
    let Thresholds { low, above } = Thresholds::of(range);
    let low = u8::try_from(low.unwrap_or(0).min(126)).unwrap_or(126);
    let high = u8::try_from(above.unwrap_or(127).min(127)).ok()?.checked_sub(1);
    let mut bits = Bits::none(store.users.numbers());
    if let Some(high) = high {
        let sets: Vec<Bits> = (first..=last).map(|index| active_in(asked, unit, tz, index)).collect();
        let words: Vec<&[u64]> = sets.iter().map(Bits::words).collect();
        kernel::counts_within(&words, low, high, bits.words_mut());
    }
    Some(bits)
}

/// Who has an event of those asked about in one unit of the window.
fn active_in(asked: &Asked<'_>, unit: Unit, tz: Tz, index: i64) -> Bits {
    let (zone, window, store) = (Zone::of(tz), asked.bounds, asked.store);
    let whole = Bounds { lo: zone.unit_start(unit, index), hi: zone.unit_start(unit, index + 1) - 1 };
    let inside = whole.and(window);
    let mut set = Bits::default();
    if inside == whole {
        for bucket in bucket_of(whole.lo)..=bucket_of(whole.hi) {
            if let Some(known) = store.unit_bits(&asked.names, unit, tz, bucket).sets.get(&index) {
                set.or(known);
            }
        }
    } else if inside.lo <= inside.hi {
        // of the events up to the later end of the window the last is the one that the earlier end asks for
        let counted = Bounds { hi: inside.hi, ..whole };
        set = store.instants_within(&asked.names, Which::Latest(1), counted, inside);
    }
    set
}
