//! Sequences of the two shapes that funnels and abandoned carts have, by the gap to the next event.

use super::super::bits::Bits;
use super::super::snapshot::Snapshot;
use super::asked::Asked;
use super::gaps::Follows;
use super::hits::Question;
use crate::plan::bounds::Bounds;
use crate::plan::{Chain, LeafAt};
use crate::time::Span;

/// The gap that a span of fixed length allows, where gaps tell it apart.
fn fixed(span: Span) -> Option<u32> {
    let whole = span.years == 0 && span.months == 0;
    u32::try_from(span.millis).ok().filter(|&gap| whole && gap < u32::MAX)
}

/// The leaf's users where gaps decide; `None` where they do not.
pub(super) fn fast(
    store: &Snapshot,
    chain: &Chain,
    at: &LeafAt<'_>,
    t: i64,
    question: &Question<'_>,
) -> Option<Bits> {
    let LeafAt::Sequence(_, scope, _) = at else { return None };
    if chain.same.is_some() || question.anchor.is_some() || chain.within.is_some() {
        return None;
    }
    let bounds = scope.bounds(None)?;
    let asked = |matcher: u32| {
        let matcher = chain.matchers.get(matcher as usize)?;
        Some(Asked::new(store, matcher, t, bounds)).filter(|asked| !asked.is_filtered())
    };
    let (first, next, follows, bounds) = match (chain.steps.as_slice(), chain.then_not) {
        ([first, second], None) if second.after.is_none() && second.without.is_none() => {
            let within = fixed(second.within?)?;
            let (first, second) = (asked(first.matcher)?, asked(second.matcher)?);
            let is_end = bounds.hi >= store.last_instant(&second.names);
            (first, second, Follows::Within(within, if is_end { i64::MAX } else { bounds.hi }), bounds)
        }
        ([only], Some((not, within))) => {
            let gap = fixed(within)?;
            let passed = Bounds { hi: bounds.hi.min(t - i64::from(gap)), ..bounds };
            (asked(only.matcher)?, asked(not)?, Follows::NotWithin(gap), passed)
        }
        _ => return None,
    };
    Some(store.gaps(&first.names, &next.names).users(store, bounds, follows))
}
