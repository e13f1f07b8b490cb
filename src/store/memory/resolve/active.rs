//! Active units: one bit for each unit of the window, where those are few.

use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::counts::{Thresholds, thresholds};
use super::distinct::set_in_range;
use super::scan::Scan;
use crate::plan::calendar::Zone;
use crate::segment::Range;
use crate::time::{Timestamp, Unit};
use chrono_tz::Tz;

/// Units that fit the bits of a user.
const UNITS: i64 = 64;

/// The users whose number of active units lies in the range; `None` where the window holds too many units.
pub(super) fn active(store: &Snapshot, scan: &Scan<'_>, unit: Unit, tz: Tz, range: &Range) -> Option<Bits> {
    let zone = Zone::of(tz);
    let in_years = |at: i64| at.clamp(Timestamp::MIN.millis(), Timestamp::MAX.millis());
    let (lo, hi) = scan.instants()?;
    let (first, last) = (zone.unit_of(unit, in_years(lo)), zone.unit_of(unit, in_years(hi)));
    if last - first >= UNITS {
        return None;
    }
    let Thresholds { low, above } = thresholds(range);
    if above == Some(0) {
        return Some(Bits::none(store.users.numbers()));
    }
    let scratch = || (zone.units(unit), vec![0u64; store.room()], vec![0u8; store.room()]);
    Some(store.by_block(scratch, |(units, days, counts), high, words| {
        days.fill(0);
        scan.block(high, &mut |batch| {
            batch.for_each(|row| {
                let unit = units.of(batch.instants.at(row)) - first;
                days[usize::from(batch.users[row])] |= 1 << (unit & (UNITS - 1));
            });
        });
        #[allow(clippy::cast_possible_truncation)] // at most 64
        counts.iter_mut().zip(days.iter()).for_each(|(count, days)| *count = days.count_ones() as u8);
        set_in_range(counts, low, above, words);
    }))
}
