//! The algebra: `&`, `|`, `!`, and conditions by the list.

use std::ops::{BitAnd, BitOr, Not, Range};

use super::attribute::{Change, Seen};
use super::depth::{filter_too_deep, too_deep};
use super::did::Behavior;
use super::occurrence::Occurrence;
use super::sequence::Steps;
use super::value::{OfAttribute, OfBehavior, OfProperty, Tested};
use crate::segment::{Filter, Sample, Score, Segment};
use crate::value::Number;

/// Every user of the universe.
///
/// ```
/// # use whodid::{did, everyone};
/// assert_eq!(everyone().to_json(), r#"{"all":[]}"#);
/// assert_eq!(everyone() & did("login"), did("login").into());
/// ```
pub fn everyone() -> Segment {
    Segment::All(Vec::new())
}

/// No user.
///
/// ```
/// # use whodid::{did, no_one};
/// assert_eq!(no_one().to_json(), r#"{"any":[]}"#);
/// assert_eq!(no_one() | did("login"), did("login").into());
/// ```
pub fn no_one() -> Segment {
    Segment::Any(Vec::new())
}

/// Who meets all of these conditions; of none: everyone.
///
/// Conditions of one type come as an array or a vector, of several types as a tuple.
///
/// ```
/// # use whodid::{all, attribute, days, did};
/// let both = all((did("login").last(days(7)), attribute("plan").eq("pro")));
/// assert_eq!(both, did("login").last(days(7)) & attribute("plan").eq("pro"));
/// ```
pub fn all(conditions: impl Conditions) -> Segment {
    gathered(conditions.into_segments(), Segment::All)
}

/// Who meets some of these conditions; of none: no one.
///
/// Conditions of one type come as an array or a vector, of several types as a tuple.
///
/// ```
/// # use whodid::{any, did};
/// assert_eq!(any([did("share"), did("invite")]), did("share") | did("invite"));
/// ```
pub fn any(conditions: impl Conditions) -> Segment {
    gathered(conditions.into_segments(), Segment::Any)
}

/// Who is in the segment of this name in the catalog.
///
/// ```
/// # use whodid::{list, sample, segment};
/// let spring = segment("power_users") & !list("staff") & sample("spring", 0..50);
/// assert_eq!(
///     spring.to_json(),
///     r#"{"all":[{"segment":"power_users"},{"not":{"list":"staff"}},"#.to_owned()
///         + r#"{"sample":{"salt":"spring","from":0,"to":50}}]}"#
/// );
/// ```
pub fn segment(name: impl Into<String>) -> Segment {
    Segment::Segment(name.into())
}

/// Who is on the static list of this name in the catalog, by the external id or one merged into it.
pub fn list(name: impl Into<String>) -> Segment {
    Segment::List(name.into())
}

/// A deterministic share of all users, in percent: whose bucket of 0 to 100, drawn from the salt and the external
/// id, lies in the range.
///
/// It also [splits](Sample::split) users that are already known, for a holdout.
pub fn sample<N: Into<Number>>(salt: impl Into<String>, share: Range<N>) -> Sample {
    Sample { salt: salt.into(), from: share.start.into(), to: share.end.into() }
}

impl From<Sample> for Segment {
    fn from(sample: Sample) -> Self {
        Self::Sample(sample)
    }
}

impl From<&Segment> for Segment {
    fn from(segment: &Segment) -> Self {
        segment.clone()
    }
}

/// Several conditions: an array or a vector of one type, or a tuple of several.
pub trait Conditions {
    /// Each as a segment, in the order given.
    fn into_segments(self) -> Vec<Segment>;
}

impl<T: Into<Segment>, const N: usize> Conditions for [T; N] {
    fn into_segments(self) -> Vec<Segment> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<Segment>> Conditions for Vec<T> {
    fn into_segments(self) -> Vec<Segment> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<Segment> + Clone> Conditions for &[T] {
    fn into_segments(self) -> Vec<Segment> {
        self.iter().cloned().map(Into::into).collect()
    }
}

macro_rules! conditions {
    ($($name:ident)*) => {
        impl<$($name: Into<Segment>),*> Conditions for ($($name,)*) {
            fn into_segments(self) -> Vec<Segment> {
                #[allow(non_snake_case)]
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        }
    };
}

conditions!(A);
conditions!(A B);
conditions!(A B C);
conditions!(A B C D);
conditions!(A B C D E);
conditions!(A B C D E F);
conditions!(A B C D E F G);
conditions!(A B C D E F G H);
conditions!(A B C D E F G H I);
conditions!(A B C D E F G H I J);
conditions!(A B C D E F G H I J K);
conditions!(A B C D E F G H I J K L);

fn gathered(mut segments: Vec<Segment>, form: fn(Vec<Segment>) -> Segment) -> Segment {
    match segments.iter().position(too_deep) {
        Some(deep) => segments.swap_remove(deep),
        None => form(segments),
    }
}

/// Joins two of `$tree` in the form `$form`, whose lists flatten; the only one of a list is itself.
macro_rules! join {
    ($name:ident, $tree:ident :: $form:ident, $too_deep:expr) => {
        fn $name(left: $tree, right: $tree) -> $tree {
            if $too_deep(&right) {
                return right;
            }
            // A list on the left grows no deeper, so only what is wrapped is looked through.
            let mut joined = match left {
                $tree::$form(inner) => inner,
                left if $too_deep(&left) => return left,
                left => vec![left],
            };
            match right {
                $tree::$form(inner) => joined.extend(inner),
                right => joined.push(right),
            }
            match joined.len() {
                1 => joined.swap_remove(0),
                _ => $tree::$form(joined),
            }
        }
    };
}

join!(both, Segment::All, too_deep);
join!(either, Segment::Any, too_deep);
join!(both_filters, Filter::All, filter_too_deep);
join!(either_filter, Filter::Any, filter_too_deep);

fn negated(segment: Segment) -> Segment {
    match segment {
        Segment::Not(inner) => *inner,
        deep if too_deep(&deep) => deep,
        other => Segment::Not(Box::new(other)),
    }
}

fn negated_filter(filter: Filter) -> Filter {
    match filter {
        Filter::Not(inner) => *inner,
        deep if filter_too_deep(&deep) => deep,
        other => Filter::Not(Box::new(other)),
    }
}

/// Implements `&`, `|` and `!` for what converts into a `$tree`.
macro_rules! operators {
    ($tree:ident, $and:ident, $or:ident, $not:ident: $([$($generics:tt)*] $from:ty),* $(,)?) => {$(
        impl<$($generics)* RHS: Into<$tree>> BitAnd<RHS> for $from where $from: Into<$tree> {
            type Output = $tree;

            fn bitand(self, other: RHS) -> $tree {
                $and(self.into(), other.into())
            }
        }

        impl<$($generics)* RHS: Into<$tree>> BitOr<RHS> for $from where $from: Into<$tree> {
            type Output = $tree;

            fn bitor(self, other: RHS) -> $tree {
                $or(self.into(), other.into())
            }
        }

        impl<$($generics)*> Not for $from where $from: Into<$tree> {
            type Output = $tree;

            fn not(self) -> $tree {
                $not(self.into())
            }
        }
    )*};
}

operators! {
    Segment, both, either, negated:
    [] Segment,
    ['a,] &'a Segment,
    [M, W, S,] Behavior<M, W, S>,
    [W,] Occurrence<W>,
    [K,] Tested<OfAttribute, K>,
    [K,] Tested<OfBehavior, K>,
    [W,] Change<W>,
    [W,] Seen<W>,
    [P, W,] Steps<P, W>,
    [] Score,
    [] Sample,
}

operators! {
    Filter, both_filters, either_filter, negated_filter:
    [] Filter,
    [K,] Tested<OfProperty, K>,
}
