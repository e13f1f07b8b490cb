//! Tests on a value: of an attribute, of a property, of the first or latest of a behaviour.

use std::marker::PhantomData;

use chrono_tz::Tz;

use super::depth::filter_too_deep;
use super::occurrence::Which;
use super::windows::{in_zone, window_methods};
use crate::segment::{Attribute, Comparison, Did, EventMatch, Filter, Measure, Segment, Test};
use crate::time::{Span, Unit};
use crate::value::Scalar;
use crate::window::{Anchor, Window};

/// Whose value is tested; the test follows.
#[derive(Clone, Debug)]
#[must_use = "say what is asked of it: eq, gt, one_of, exists, …"]
pub struct Subject<T> {
    of: T,
}

/// The value of an attribute.
#[derive(Clone, Debug)]
pub struct OfAttribute {
    name: String,
    held: Option<Span>,
}

/// The value of a property of an event, or of a field of a record.
#[derive(Clone, Debug)]
pub struct OfProperty {
    name: String,
}

/// A property of the first or latest event of a behaviour.
#[derive(Clone, Debug)]
pub struct OfBehavior {
    events: EventMatch,
    window: Option<Window>,
    which: Which,
    of: String,
}

impl OfBehavior {
    pub(super) fn subject(
        events: EventMatch,
        window: Option<Window>,
        which: Which,
        of: String,
    ) -> Subject<Self> {
        Subject { of: Self { events, window, which, of } }
    }
}

/// A test on a value: a condition on users for attributes and behaviours, on properties for properties.
///
/// `K` says what may follow: [`Text`] can ignore case, [`Zoned`] can name the zone of its calendar.
#[derive(Clone, Debug)]
#[must_use]
pub struct Tested<T, K = Plain> {
    of: T,
    comparison: Comparison,
    ignore_case: bool,
    kind: PhantomData<K>,
}

/// A test that neither case nor zone has a part in.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

/// A test on texts, which can ignore case.
#[derive(Clone, Copy, Debug)]
pub struct Text;

/// A test on instants by the calendar, which can name its zone.
#[derive(Clone, Copy, Debug)]
pub struct Zoned;

/// The value of an attribute of the user at `T`; a test follows.
///
/// Without a test it is an anchor for [`around`](super::Behavior::around).
///
/// ```
/// # use whodid::{Unit, attribute, days, segment::Segment};
/// # let json = |segment: Segment| segment.to_json();
/// let long_free = attribute("plan").eq("free").held_for(days(90));
/// assert_eq!(json(long_free.into()), r#"{"attribute":{"name":"plan","eq":"free","for":"90d"}}"#);
/// let ending = attribute("trial_ends_at").next(days(3));
/// assert_eq!(json(ending.into()), r#"{"attribute":{"name":"trial_ends_at","within":{"next":"3d"}}}"#);
/// let nordic = attribute("country").one_of(["dk", "no", "se"]).ignore_case();
/// assert_eq!(
///     json(nordic.into()),
///     r#"{"attribute":{"name":"country","in":["dk","no","se"],"ignore_case":true}}"#
/// );
/// let birthday = attribute("born").anniversary(days(7));
/// let renewing = attribute("renews_at").upcoming(1, Unit::Month);
/// # let _ = (birthday, renewing);
/// ```
pub fn attribute(name: impl Into<String>) -> Subject<OfAttribute> {
    Subject { of: OfAttribute { name: name.into(), held: None } }
}

/// The value of a property of an event, or inside [`any_element`](Subject::any_element) of a field of a record;
/// a test follows.
///
/// ```
/// # use whodid::{did, property, segment::Segment};
/// let abroad = property("country").ne("de") & !property("test").exists();
/// assert_eq!(
///     Segment::from(did("purchase").where_(abroad)).to_json(),
///     r#"{"did":{"event":"purchase","where":{"all":[{"property":"country","ne":"de"},"#.to_owned()
///         + r#"{"not":{"property":"test","exists":true}}]}}}"#
/// );
/// ```
pub fn property(name: impl Into<String>) -> Subject<OfProperty> {
    Subject { of: OfProperty { name: name.into() } }
}

impl From<Subject<OfAttribute>> for Anchor {
    fn from(subject: Subject<OfAttribute>) -> Self {
        Self::Attribute(subject.of.name)
    }
}

/// Tests on the value.
impl<T> Subject<T> {
    fn tested<K>(self, comparison: Comparison) -> Tested<T, K> {
        Tested { of: self.of, comparison, ignore_case: false, kind: PhantomData }
    }

    /// Equal. A list passes when one of its elements does.
    pub fn eq(self, value: impl Into<Scalar>) -> Tested<T, Text> {
        self.tested(Comparison::Eq(value.into()))
    }

    /// Not equal; a missing value passes.
    pub fn ne(self, value: impl Into<Scalar>) -> Tested<T, Text> {
        self.tested(Comparison::Ne(value.into()))
    }

    /// Equal to one of these.
    #[doc(alias = "in")]
    pub fn one_of<V: Into<Scalar>>(self, values: impl IntoIterator<Item = V>) -> Tested<T, Text> {
        self.tested(Comparison::In(values.into_iter().map(Into::into).collect()))
    }

    /// Equal to none of these; a missing value passes.
    #[doc(alias = "not_in")]
    pub fn none_of<V: Into<Scalar>>(self, values: impl IntoIterator<Item = V>) -> Tested<T, Text> {
        self.tested(Comparison::NotIn(values.into_iter().map(Into::into).collect()))
    }

    /// Greater than a number, a string or an instant.
    pub fn gt(self, value: impl Into<Scalar>) -> Tested<T> {
        self.tested(Comparison::Gt(value.into()))
    }

    /// Greater than or equal to a number, a string or an instant.
    pub fn gte(self, value: impl Into<Scalar>) -> Tested<T> {
        self.tested(Comparison::Gte(value.into()))
    }

    /// Less than a number, a string or an instant.
    pub fn lt(self, value: impl Into<Scalar>) -> Tested<T> {
        self.tested(Comparison::Lt(value.into()))
    }

    /// Less than or equal to a number, a string or an instant.
    pub fn lte(self, value: impl Into<Scalar>) -> Tested<T> {
        self.tested(Comparison::Lte(value.into()))
    }

    /// From the first to the second, both inclusive and of one kind.
    pub fn between(self, low: impl Into<Scalar>, high: impl Into<Scalar>) -> Tested<T> {
        self.tested(Comparison::Between(low.into(), high.into()))
    }

    /// Has this text somewhere in it.
    pub fn contains(self, text: impl Into<String>) -> Tested<T, Text> {
        self.tested(Comparison::Contains(text.into()))
    }

    /// Does not have this text in it; a missing value passes.
    pub fn not_contains(self, text: impl Into<String>) -> Tested<T, Text> {
        self.tested(Comparison::NotContains(text.into()))
    }

    /// Starts with this text.
    pub fn starts_with(self, text: impl Into<String>) -> Tested<T, Text> {
        self.tested(Comparison::StartsWith(text.into()))
    }

    /// Ends with this text.
    pub fn ends_with(self, text: impl Into<String>) -> Tested<T, Text> {
        self.tested(Comparison::EndsWith(text.into()))
    }

    /// Matches this regular expression somewhere; a bad one is refused when the segment is validated.
    pub fn matches(self, pattern: impl Into<String>) -> Tested<T, Text> {
        self.tested(Comparison::Matches(pattern.into()))
    }

    /// Does not match this regular expression; a missing value passes.
    pub fn not_matches(self, pattern: impl Into<String>) -> Tested<T, Text> {
        self.tested(Comparison::NotMatches(pattern.into()))
    }

    /// Is there, whatever it is; an empty list too.
    pub fn exists(self) -> Tested<T> {
        self.tested(Comparison::Exists(true))
    }

    /// Is missing.
    pub fn missing(self) -> Tested<T> {
        self.tested(Comparison::Exists(false))
    }

    /// Is a list of records of which some one passes the whole filter, its fields being the properties.
    pub fn any_element(self, filter: impl Into<Filter>) -> Tested<T> {
        self.tested(Comparison::AnyElement(Box::new(filter.into())))
    }

    /// An instant in the next such span: `(T, T + span]`.
    pub fn next(self, span: Span) -> Tested<T> {
        self.placed(Window::Next(span))
    }

    /// An instant between two spans from now, the shorter first: `(T + from, T + to]`.
    pub fn ahead(self, from: Span, to: Span) -> Tested<T> {
        self.placed(Window::Ahead { from, to })
    }

    /// An instant more than so far ahead.
    pub fn beyond(self, span: Span) -> Tested<T> {
        self.placed(Window::Beyond(span))
    }

    /// An instant in the next `n` whole units, without the current one.
    pub fn upcoming(self, n: u32, unit: Unit) -> Tested<T, Zoned> {
        self.units(unit, -1, -i64::from(n))
    }

    /// An instant whose month and day fall on one of the local days from today to that of `T + span`; one of 29 February
    /// falls on the 28th in common years.
    pub fn anniversary(self, next: Span) -> Tested<T, Zoned> {
        self.tested(Comparison::Anniversary { next, tz: Tz::UTC })
    }

    fn placed<K>(self, window: Window) -> Tested<T, K> {
        self.tested(Comparison::Within(window))
    }
}

window_methods!([T] Subject<T> => Tested<T>, Tested<T, Zoned>);

impl<T> Tested<T, Text> {
    /// Compares after lower-casing every character.
    pub fn ignore_case(mut self) -> Self {
        self.ignore_case = true;
        self
    }
}

impl<T> Tested<T, Zoned> {
    /// The zone whose days, weeks and months count (UTC where none is named).
    pub fn in_zone(mut self, tz: Tz) -> Tested<T> {
        self.comparison = match self.comparison {
            Comparison::Within(window) => Comparison::Within(in_zone(window, tz)),
            Comparison::Anniversary { next, .. } => Comparison::Anniversary { next, tz },
            other => other,
        };
        Tested { of: self.of, comparison: self.comparison, ignore_case: false, kind: PhantomData }
    }
}

impl<T, K> Tested<T, K> {
    fn parts(self) -> (T, Test) {
        (self.of, Test { comparison: self.comparison, ignore_case: self.ignore_case })
    }
}

impl<K> Tested<OfAttribute, K> {
    /// Throughout the last such span, at its beginning too.
    #[doc(alias = "for")]
    pub fn held_for(mut self, span: Span) -> Self {
        self.of.held = Some(span);
        self
    }
}

impl<K> From<Tested<OfAttribute, K>> for Segment {
    fn from(tested: Tested<OfAttribute, K>) -> Self {
        let (OfAttribute { name, held }, test) = tested.parts();
        Self::Attribute(Attribute { name, test, held })
    }
}

impl<K> From<Tested<OfProperty, K>> for Filter {
    fn from(tested: Tested<OfProperty, K>) -> Self {
        let (OfProperty { name }, test) = tested.parts();
        match test.comparison {
            Comparison::AnyElement(deep) if filter_too_deep(&deep) => *deep,
            comparison => Self::Property { name, test: Test { comparison, ..test } },
        }
    }
}

impl<K> From<Tested<OfBehavior, K>> for Segment {
    fn from(tested: Tested<OfBehavior, K>) -> Self {
        let (OfBehavior { events, window, which, of }, test) = tested.parts();
        let measure = match which {
            Which::First => Measure::FirstValue { of, test },
            Which::Latest => Measure::LatestValue { of, test },
        };
        Self::Did(Did { events, window, measure, same: None })
    }
}
