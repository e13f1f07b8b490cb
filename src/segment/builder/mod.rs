//! The builder: segments that read aloud.
//!
//! Each function opens one form of the law and each method says one thing more about it. What is built is the
//! plain tree ([`Segment`], [`Filter`](super::Filter), …), so nothing here means more than what is written there;
//! [sugar](Behavior#impl-Behavior<M,+Ever,+S>-1) expands into the law's forms at once. Building never fails and
//! never panics: what types cannot rule out (an empty name, a span of zero, a bad pattern) is an error of
//! validating, and an expression deeper than the limit stops growing and can only be refused.
//!
//! `&`, `|` and `!` join whatever is a condition on users, and likewise whatever is a condition on properties.

mod attribute;
mod did;
mod occurrence;
mod ops;
mod patterns;
mod range;
mod score;
mod sequence;
mod sugar;
mod value;
mod windows;

pub use attribute::{Change, Seen, attribute, changed, seen};
pub use did::{
    Active, Behavior, Distinct, GroupState, Grouped, MeasureState, Measuring, Quantified, Statistic, Sum,
    Times, Ungrouped, did,
};
pub use occurrence::Occurrence;
pub use ops::{Conditions, all, any, everyone, list, no_one, sample, segment};
pub use score::{Scoring, at_least, score};
pub use sequence::{Closed, Following, Open, Opening, Steps, sequence};
pub use sugar::known_for;
pub use value::{OfAttribute, OfBehavior, OfProperty, Plain, Subject, Tested, Text, Zoned, property};
pub use windows::{Around, Calendar, Ever, Given, TakesWindow, WindowState, Windowed};

#[cfg(test)]
mod tests;
