//! Active units: one bit for each unit of the window, where those are few.

use super::super::bits::Bits;
use super::super::kernel;
use super::super::part::Part;
use super::super::snapshot::Snapshot;
use super::scan::{Batch, Scan, for_each};
use super::thresholds::Thresholds;
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
    let thresholds = Thresholds::of(range);
    if thresholds.above == Some(0) {
        return Some(Bits::none(store.users.numbers()));
    }
    // one a bucket, since all parts of a bucket share it
    let mut tables: Vec<(i32, Table)> = Vec::new();
    let mut table_of = Vec::new();
    for scanned in scan.parts() {
        let known = tables.iter().position(|(bucket, _)| *bucket == scanned.part.bucket());
        table_of.push(known.unwrap_or(tables.len()));
        if known.is_none() {
            tables.push((scanned.part.bucket(), Table::new(scanned.part, zone, unit, first, last)));
        }
    }
    let scratch = || (zone.units(unit), vec![0u64; store.room()], vec![0u8; store.room()]);
    Some(store.by_block(scratch, |(units, days, counts), high, words| {
        days.fill(0);
        scan.block(high, &mut |batch| match batch {
            Batch::Part { index, scanned, rows, users, mask } => {
                let table = table_of.get(*index).and_then(|&table| tables.get(table));
                let Some((_, Table(table))) = table else { return };
                let coarse = &scanned.part.coarse()[rows.clone()];
                for_each(
                    *mask,
                    users.len(),
                    #[inline(always)]
                    |i| {
                        let unit = match table[usize::from(coarse[i])] {
                            EDGE => units.of(scanned.part.at(rows.start + i)) - first,
                            unit => i64::from(unit),
                        };
                        days[usize::from(users[i])] |= 1 << (unit & (UNITS - 1));
                    },
                );
            }
            Batch::Tail(hits) => hits.iter().for_each(|hit| {
                days[hit.low()] |= 1 << ((units.of(hit.at) - first) & (UNITS - 1));
            }),
        });
        kernel::count_each(days, counts);
        thresholds.set(counts, words);
    }))
}

/// The unit, counted from the first of the window, that each coarse instant of a part lies in.
struct Table(Vec<u8>);

/// A coarse instant that lies in no one unit of the window.
const EDGE: u8 = u8::MAX;

impl Table {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below 64, and places within a part
    fn new(part: &Part, zone: &Zone, unit: Unit, first: i64, last: i64) -> Self {
        let (start, end) = part.span();
        let mut table = vec![EDGE; 1 << 16];
        for index in first..=last {
            let from = zone.unit_start(unit, index).max(start);
            let until = zone.unit_start(unit, index + 1).min(end + 1);
            if from < until {
                // whole coarse instants only
                let (from, until) = ((from - start + 0xffff) >> 16, (until - start) >> 16);
                if from < until {
                    table[from as usize..until as usize].fill((index - first) as u8);
                }
            }
        }
        Self(table)
    }
}
