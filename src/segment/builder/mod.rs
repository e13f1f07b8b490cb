//! The builder: segments that read aloud.
//!
//! Each function opens one form of the law and each method says one thing more about it. What is built is the
//! plain tree ([`Segment`](super::Segment), [`Filter`](super::Filter), …), so nothing here means more than what
//! is written there; what people say often ([`lapsed`](Behavior::lapsed), [`regularly`](Behavior::regularly), …)
//! expands into the law's forms at once. `&`, `|` and `!` join whatever is a condition on users, and likewise
//! whatever is a condition on properties.
//!
//! ```
//! use whodid::{attribute, days, did, property};
//!
//! let fading = attribute("plan").eq("enterprise")
//!     & did("feature_used").at_least(5).ago(days(60), days(30))
//!     & !did("feature_used").last(days(30));
//! assert_eq!(
//!     fading.to_json(),
//!     r#"{"all":[{"attribute":{"name":"plan","eq":"enterprise"}},"#.to_owned()
//!         + r#"{"did":{"event":"feature_used","in":{"ago":["60d","30d"]},"times":{"at_least":5}}},"#
//!         + r#"{"not":{"did":{"event":"feature_used","in":{"last":"30d"}}}}]}"#
//! );
//!
//! let shoes = property("category").eq("shoes") & property("price").gt(50);
//! let _ = did("order").where_(property("products").any_element(shoes)).last(days(90));
//! ```
//!
//! # Windows
//! Whatever happens in time takes one window, and without one means ever:
//!
//! | said | meant |
//! | --- | --- |
//! | `.last(days(30))` | `(T − 30d, T]` |
//! | `.before(days(30))` | everything up to `T − 30d` |
//! | `.ago(days(60), days(30))` | `(T − 60d, T − 30d]` |
//! | `.during(jan..feb)`, `.since(jan)`, `.until(feb)` | `[jan, feb)`, never beyond `T` |
//! | `.today()`, `.this_week()`, `.this_month()`, `.this_quarter()`, `.this_year()` | the calendar unit so far |
//! | `.previous(3, Unit::Month)` | the last three complete months |
//! | `.units(Unit::Week, 2, 0)` | from two weeks back to this one so far |
//! | `.within_first(days(7))` | seven days from when the user was first seen |
//! | `.around(attribute("signed_up_at")).after(days(7))` | seven days from the user's own instant |
//!
//! Units are those of UTC until `.in_zone(Tz::Europe__Berlin)` names another; a zone by name is
//! `"Europe/Berlin".parse::<Tz>()`, a typed error where there is none of that name.
//!
//! # What is wrong
//! Much of it does not compile: a sum held against nothing, two windows, a zone where no calendar counts. Building
//! itself never fails and never panics: an empty name, a span of zero or a bad pattern is an error of
//! [`Segment::validate`](super::Segment::validate). An expression deeper than the limit stops growing, as it can
//! only be refused.
//!
//! ```compile_fail
//! let spent: whodid::segment::Segment = whodid::did("purchase").sum("amount").into(); // how much?
//! ```
//! ```compile_fail
//! use whodid::{days, did};
//! let twice = did("login").last(days(30)).before(days(7));
//! ```
//! ```compile_fail
//! use whodid::{Tz, days, did};
//! let zoned = did("login").last(days(30)).in_zone(Tz::Europe__Berlin);
//! ```

mod attribute;
mod depth;
mod did;
mod measure;
mod occurrence;
mod ops;
mod patterns;
mod range;
mod score;
mod sequence;
mod sugar;
mod value;
mod windows;

pub use attribute::{Change, Seen, changed, seen};
pub use did::{Behavior, GroupState, Grouped, Ungrouped, did};
pub use measure::{Active, Distinct, MeasureState, Measuring, Quantified, Statistic, Sum, Times};
pub use occurrence::Occurrence;
pub use ops::{Conditions, all, any, everyone, list, no_one, sample, segment};
pub use score::{Scoring, at_least, score};
pub use sequence::{Closed, Following, Open, Opening, Steps, sequence};
pub use sugar::known_for;
pub use value::{
    OfAttribute, OfBehavior, OfProperty, Plain, Subject, Tested, Text, Zoned, attribute, property,
};
pub use windows::{Around, Calendar, Ever, Given, TakesWindow, WindowState, Windowed};

#[cfg(test)]
mod tests;
