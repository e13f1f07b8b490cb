//! How often: "at least k within the window", by the k-th most recent instant or by counting.

use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::active::active;
use super::asked::Asked;
use super::distinct::distinct;
use super::hits::Question;
use super::instants::Which;
use super::scan::Scan;
use super::sums::summed;
use super::thresholds::Thresholds;
use super::units::by_units;
use crate::plan::bounds::Bounds;
use crate::plan::{Behaviour, LeafAt};
use crate::segment::{Measure, Range};

/// Counts up to which an index of the k-th most recent instant is worth its room.
const INDEXED: u64 = 16;

/// The leaf's users where a faster way than its law over all hits is known.
pub(super) fn fast(
    store: &Snapshot,
    behaviour: &Behaviour,
    at: &LeafAt<'_>,
    t: i64,
    question: &Question<'_>,
) -> Option<Bits> {
    let LeafAt::Did(did) = at else { return None };
    if behaviour.same().is_some() || question.anchor.is_some() {
        return None;
    }
    let asked = Asked::new(store, behaviour.matcher(), t, did.scope.bounds(None)?);
    match behaviour.measure() {
        Measure::Times(range) => Some(counted(&asked, range)),
        Measure::First(_) if !asked.is_filtered() => Some(one_instant(&asked, Which::First)),
        Measure::Latest(_) if !asked.is_filtered() => Some(one_instant(&asked, Which::Latest(1))),
        Measure::Sum { range, .. } => {
            summed(store, &asked.scan(behaviour.of()), range, |user| question.holds_for(at, user))
        }
        Measure::Distinct { range, .. } => distinct(&asked, &asked.scan(behaviour.of()), range),
        Measure::Active { unit, tz, range } => by_units(&asked, *unit, *tz, range)
            .or_else(|| active(store, &asked.scan(behaviour.of()), *unit, *tz, range)),
        _ => None,
    }
}

/// The users whose first or latest event lies in the window.
fn one_instant(asked: &Asked<'_>, which: Which) -> Bits {
    let counted = Bounds { lo: i64::MIN, hi: if which == Which::First { i64::MAX } else { asked.t } };
    let bounds = Bounds { hi: asked.bounds.hi.min(asked.t), ..asked.bounds };
    asked.store.instants_within(&asked.names, which, counted, bounds)
}

/// Whether the leaf holds for one user, where counting rows decides it.
pub(super) fn of_user(store: &Snapshot, behaviour: &Behaviour, at: &LeafAt<'_>, user: u32) -> Option<bool> {
    let (LeafAt::Did(did), Measure::Times(range)) = (at, behaviour.measure()) else { return None };
    if behaviour.same().is_some()
        || behaviour.matcher().filter().is_some()
        || behaviour.scope().anchor().is_some()
    {
        return None;
    }
    let bounds = did.scope.bounds(None)?;
    let thresholds = Thresholds::of(range);
    let enough = thresholds.most().unwrap_or(0);
    let mut count = 0;
    store.for_each_name(behaviour.matcher().events(), |name| {
        if count < enough {
            count += store.count_of(name, user, bounds, enough - count);
        }
    });
    Some(thresholds.contain(count))
}

/// The users whose count lies in the range.
fn counted(asked: &Asked<'_>, range: &Range) -> Bits {
    let (thresholds, store) = (Thresholds::of(range), asked.store);
    let Thresholds { low, above } = thresholds;
    let by_index = |k: u64| k <= INDEXED && !asked.is_filtered() && reaches_the_end(asked);
    if above == Some(0) {
        return Bits::none(store.users.numbers());
    }
    if !low.into_iter().chain(above).all(by_index) {
        return by_counting(store, &asked.scan(None), thresholds);
    }
    let at_least = |k: u64| asked.by_recency(u32::try_from(k).unwrap_or(u32::MAX));
    let mut bits = match low {
        Some(low) => at_least(low),
        None => {
            let mut all = Bits::none(store.users.numbers());
            all.words_mut().fill(!0);
            all
        }
    };
    if let Some(above) = above {
        bits.and_not(&at_least(above));
    }
    bits
}

/// Whether the window ends with `T`, so that the most recent events are the ones that count.
fn reaches_the_end(asked: &Asked<'_>) -> bool {
    asked.bounds.hi >= asked.t
}

/// The users who have so many rows.
fn by_counting(store: &Snapshot, scan: &Scan<'_>, thresholds: Thresholds) -> Bits {
    if (thresholds.low, thresholds.above) == (Some(1), None) {
        return store.by_block(|| (), |(), high, words| mark(scan, high, words));
    }
    if thresholds.most().is_none_or(|most| most < u64::from(u8::MAX)) {
        let scratch = || vec![0u8; store.room()];
        return store.by_block(scratch, |counters, high, words| {
            counters.fill(0);
            scan.block(high, &mut |batch| {
                batch.for_each_user(
                    #[inline(always)]
                    |low| counters[low] = counters[low].saturating_add(1),
                );
            });
            thresholds.set(counters, words);
        });
    }
    let scratch = || vec![0u64; store.room()];
    store.by_block(scratch, |counters, high, words| {
        counters.fill(0);
        scan.block(high, &mut |batch| {
            batch.for_each_user(
                #[inline(always)]
                |low| counters[low] += 1,
            );
        });
        for (user, count) in counters.iter().enumerate() {
            words[user / 64] |= u64::from(thresholds.contain(*count)) << (user % 64);
        }
    })
}

/// Sets the bits of the users of a block that have a row.
fn mark(scan: &Scan<'_>, high: u16, words: &mut [u64]) {
    scan.block(high, &mut |batch| {
        batch.for_each_user(
            #[inline(always)]
            |low| {
                if let Some(word) = words.get_mut(low / 64) {
                    *word |= 1 << (low % 64);
                }
            },
        );
    });
}
