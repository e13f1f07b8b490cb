//! `score`: points that add up.

use super::depth::too_deep;
use super::ops::Conditions;
use super::range::range_methods;
use crate::segment::{Earned, Measured, Points, Range, Score, Segment};
use crate::value::Number;

/// Who has points that add up to a number in a range: what earns them follows, then the range.
///
/// ```
/// # use whodid::{days, did, score, segment::Segment};
/// let leads = score().add(10, did("invite_sent")).per(1, did("login").last(days(30))).at_least(50);
/// assert_eq!(
///     Segment::from(leads).to_json(),
///     r#"{"score":{"of":[{"points":10,"if":{"did":{"event":"invite_sent"}}},"#.to_owned()
///         + r#"{"points":1,"per":{"event":"login","in":{"last":"30d"}}}],"at_least":50}}"#
/// );
/// ```
pub fn score() -> Scoring {
    Scoring { of: Vec::new() }
}

/// Who meets at least `k` of these conditions.
///
/// Conditions of one type come as an array or a vector, of several types as a tuple.
///
/// ```
/// # use whodid::{at_least, attribute, days, did, score};
/// let two_of_three = at_least(2, [did("a"), did("b"), did("c")]);
/// let mixed = at_least(2, (did("a").last(days(7)), did("b").at_least(3), attribute("plan").eq("pro")));
/// assert_eq!(two_of_three, score().add(1, did("a")).add(1, did("b")).add(1, did("c")).at_least(2).into());
/// # let _ = mixed;
/// ```
pub fn at_least(k: u32, conditions: impl Conditions) -> Segment {
    let of = conditions.into_segments().into_iter();
    let of = of.map(|condition| Points { points: 1, earned: Earned::If(condition) }).collect();
    Segment::from(Score { of, range: Range::at_least(k) })
}

/// What earns points; a range makes it a segment.
///
/// Starts with [`score`].
#[derive(Clone, Debug)]
#[must_use = "say what the points must add up to: at_least, at_most, between, …"]
pub struct Scoring {
    of: Vec<Points>,
}

impl Scoring {
    /// So many points, once, when the condition holds; negative ones count against.
    #[allow(clippy::should_implement_trait)] // it adds points, not scores
    pub fn add(mut self, points: i64, condition: impl Into<Segment>) -> Self {
        self.of.push(Points { points, earned: Earned::If(condition.into()) });
        self
    }

    /// So many points times a measured number; negative ones count against.
    pub fn per(mut self, points: i64, measured: impl Into<Measured>) -> Self {
        self.of.push(Points { points, earned: Earned::Per(measured.into()) });
        self
    }

    fn ranged(self, range: Range) -> Score {
        Score { of: self.of, range }
    }
}

range_methods!([] Scoring, impl Into<Number> => Score);

impl Score {
    fn ranged(self, range: Range) -> Self {
        Self { range: self.range.and(range), ..self }
    }
}

range_methods!([] Score, impl Into<Number> => Score);

impl From<Score> for Segment {
    fn from(mut score: Score) -> Self {
        let deep = |points: &Points| matches!(&points.earned, Earned::If(inner) if too_deep(inner));
        match score.of.iter().position(deep).map(|i| score.of.swap_remove(i).earned) {
            Some(Earned::If(inner)) => inner,
            _ => Self::Score(score),
        }
    }
}
