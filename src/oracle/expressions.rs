//! # Expressions

use md5::{Digest, Md5};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use super::Asked;
use super::facts::Person;
use super::values::{self, rational};
use crate::segment::{Attribute, Changed, Earned, Measured, Points, Range, Sample, Score, Segment};
use crate::value::{Number, Scalar, Value};

impl Asked<'_> {
    /// Whether an expression holds for a user.
    pub(super) fn holds(&self, segment: &Segment, user: &Person<'_>) -> bool {
        match segment {
            Segment::All(of) => of.iter().all(|e| self.holds(e, user)),
            Segment::Any(of) => of.iter().any(|e| self.holds(e, user)),
            Segment::Not(e) => !self.holds(e, user),
            Segment::Did(did) => self.did(did, user),
            Segment::Sequence(sequence) => self.sequence(sequence, user),
            Segment::Attribute(attribute) => self.attribute(attribute, user),
            Segment::Changed(changed) => self.changed(changed, user),
            Segment::Seen(window) => self.instants(Some(window), user).is_some_and(|w| w.holds(user.seen)),
            Segment::Score(score) => self.score(score, user),
            Segment::Segment(name) => self.named(name, user),
            Segment::List(name) => self.listed(name, user),
            Segment::Sample(sample) => sampled(sample, user),
        }
    }

    /// `attribute`: the value at `T` passes; with `for`, so did the one a span ago and every one since.
    fn attribute(&self, attribute: &Attribute, user: &Person<'_>) -> bool {
        let passes = |value: Option<&Value>| self.passes(&attribute.test, value);
        let held = attribute.held.is_none_or(|span| {
            let start = super::windows::minus(self.at, span);
            let mut since = user.history(&attribute.name).into_iter().filter(|w| w.0 > start);
            passes(user.value(&attribute.name, start)) && since.all(|w| passes(w.1))
        });
        held && passes(user.value(&attribute.name, self.at))
    }

    /// `changed`: a write within the window from a value to another that is not equal.
    fn changed(&self, changed: &Changed, user: &Person<'_>) -> bool {
        let Some(window) = self.instants(changed.window.as_ref(), user) else { return false };
        let is = |value: Option<&Value>, wanted: &Option<Scalar>| match wanted {
            None => true,
            Some(wanted) => value.is_some_and(|v| values::equal(v, &Value::Scalar(wanted.clone()))),
        };
        let mut before: Option<&Value> = None;
        for (at, after) in user.history(&changed.name) {
            let rewritten = match (before, after) {
                (Some(a), Some(b)) => values::equal(a, b),
                (a, b) => a.is_none() && b.is_none(),
            };
            if !rewritten && window.holds(at) && is(before, &changed.from) && is(after, &changed.to) {
                return true;
            }
            before = after;
        }
        false
    }

    /// `score`: the points of what holds, and points times measured numbers.
    fn score(&self, score: &Score, user: &Person<'_>) -> bool {
        let mut total = BigRational::zero();
        for Points { points, earned } in &score.of {
            let points = BigRational::from_integer(BigInt::from(*points));
            match earned {
                Earned::If(e) if self.holds(e, user) => total += points,
                Earned::If(_) => {}
                Earned::Per(measured) => total += points * self.measured(measured, user),
            }
        }
        in_range(&total, &score.range)
    }

    /// `segment`: a segment that several others name is answered once.
    fn named(&self, name: &str, user: &Person<'_>) -> bool {
        let key = (name.to_owned(), user.id.to_owned());
        let known = self.memory.answers.borrow().get(&key).copied();
        known.unwrap_or_else(|| {
            let answer = self.named.segments.get(name).is_some_and(|e| self.holds(e, user));
            self.memory.answers.borrow_mut().insert(key, answer);
            answer
        })
    }

    /// `list`: the user's id, or one merged into it, is on the list.
    fn listed(&self, name: &str, user: &Person<'_>) -> bool {
        let list = self.named.lists.get(name);
        list.is_some_and(|ids| ids.iter().any(|id| self.oracle.resolve(id) == user.id))
    }
}

/// `sample`: `from ≤ bucket < to`.
fn sampled(sample: &Sample, user: &Person<'_>) -> bool {
    let digest = Md5::digest(format!("{}:{}", sample.salt, user.id));
    let first_8 = digest.iter().take(8).fold(BigInt::zero(), |n, byte| n * 256 + *byte);
    let bucket = BigRational::new(first_8 * 100, BigInt::from(1) << 64);
    rational(sample.from) <= bucket && bucket < rational(sample.to)
}

/// Whether a number is in a range.
pub(super) fn in_range(number: &BigRational, range: &Range) -> bool {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let above = match range.low {
        Included(low) => *number >= rational(low),
        Excluded(low) => *number > rational(low),
        Unbounded => true,
    };
    let below = match range.high {
        Included(high) => *number <= rational(high),
        Excluded(high) => *number < rational(high),
        Unbounded => true,
    };
    above && below
}

/// The expression in which a measured number stands.
pub(super) fn score_of(measured: &Measured) -> Segment {
    use std::ops::Bound::{Included, Unbounded};
    let of = vec![Points { points: 1, earned: Earned::Per(measured.clone()) }];
    Segment::Score(Score { of, range: Range { low: Included(Number::Int(0)), high: Unbounded } })
}
