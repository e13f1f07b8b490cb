//! Typed values: what properties and attributes hold, and how they compare.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use chrono::{DateTime, TimeZone};

use crate::time::Timestamp;

/// A single value that is neither a list nor a record.
///
/// Equality is the law's: numbers compare by value across `i64` and `f64`, exactly, and values of
/// different kinds are never equal.
///
/// ```
/// use whodid::Scalar;
/// assert_eq!(Scalar::from(1), Scalar::from(1.0));
/// assert_ne!(Scalar::from(9_007_199_254_740_993_i64), Scalar::from(9_007_199_254_740_992.0));
/// assert_ne!(Scalar::from("1"), Scalar::from(1));
/// ```
#[derive(Clone, Debug)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number. Facts and segments refuse NaN and infinities.
    Float(f64),
    /// A text; compared by bytes.
    String(String),
    /// An instant.
    Instant(Timestamp),
}

impl Scalar {
    /// The order of two values of one kind: numbers, strings or instants. Bools are not ordered, and
    /// neither are values of different kinds.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::String(a), Self::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Instant(a), Self::Instant(b)) => Some(a.cmp(b)),
            _ => Some(self.number()?.cmp(&other.number()?)),
        }
    }

    /// The number in it, where it is one.
    pub fn number(&self) -> Option<Number> {
        match *self {
            Self::Int(n) => Some(Number::Int(n)),
            Self::Float(x) => Some(Number::Float(x)),
            _ => None,
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Bool(b) => (0u8, b).hash(state),
            Self::Int(n) => (1u8, Number::Int(*n)).hash(state),
            Self::Float(x) => (1u8, Number::Float(*x)).hash(state),
            Self::String(s) => (2u8, s).hash(state),
            Self::Instant(t) => (3u8, t).hash(state),
        }
    }
}

/// A number as written: an `i64` or a finite `f64`, compared exactly across the two.
///
/// The order is total: NaN, which facts and segments refuse, sorts above everything.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
}

/// 2^63, the first float above every `i64`.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

impl Number {
    /// This number as an `i64`, where it is one exactly.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(n),
            #[allow(clippy::cast_possible_truncation)] // whole and inside the range
            Self::Float(x) if x.fract() == 0.0 && (-TWO_63..TWO_63).contains(&x) => Some(x as i64),
            Self::Float(_) => None,
        }
    }

    /// This number as the nearest `f64`.
    #[allow(clippy::cast_precision_loss)] // says so
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(x) => x,
        }
    }

    /// Whether it is neither NaN nor infinite.
    pub fn is_finite(self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Float(x) => x.is_finite(),
        }
    }
}

/// Compares exactly, without rounding the integer.
fn int_to_float(n: i64, x: f64) -> Ordering {
    if x.is_nan() || x >= TWO_63 {
        return Ordering::Less;
    }
    if x < -TWO_63 {
        return Ordering::Greater;
    }
    #[allow(clippy::cast_possible_truncation)] // |x| ≤ 2^63 and floored
    n.cmp(&(x.floor() as i64)).then(if x.fract() == 0.0 { Ordering::Equal } else { Ordering::Less })
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Int(a), Self::Float(b)) => int_to_float(a, b),
            (Self::Float(a), Self::Int(b)) => int_to_float(b, a).reverse(),
            (Self::Float(a), Self::Float(b)) => {
                a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
            }
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self.as_i64(), *self) {
            (Some(n), _) => n.hash(state),
            (None, Self::Float(x)) if x.is_nan() => f64::NAN.to_bits().hash(state),
            (None, other) => other.as_f64().to_bits().hash(state),
        }
    }
}

macro_rules! number_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Number {
            fn from(n: $from) -> Self {
                Self::$variant(n.into())
            }
        }
    )*};
}

number_from!(i32 => Int, u32 => Int, i64 => Int, f64 => Float);

impl From<Number> for Scalar {
    fn from(n: Number) -> Self {
        match n {
            Number::Int(n) => Self::Int(n),
            Number::Float(x) => Self::Float(x),
        }
    }
}

/// One record of a list of records: a flat map from field name to scalar.
///
/// Fields are kept sorted by name, so two records are equal when they hold equal fields.
///
/// ```
/// use whodid::Record;
/// let shoe = Record::new().with("sku", "s-1").with("price", 59.5);
/// assert_eq!(shoe, Record::new().with("price", 59.5).with("sku", "s-1"));
/// assert_eq!(shoe.get("sku"), Some(&"s-1".into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// Sorted by name; names are unique.
    fields: Vec<(String, Scalar)>,
}

impl Record {
    /// A record without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field, or replaces the one of that name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Scalar>) -> Self {
        let (name, value) = (name.into(), value.into());
        match self.fields.binary_search_by(|(have, _)| have.as_str().cmp(&name)) {
            Ok(i) => self.fields[i].1 = value,
            Err(i) => self.fields.insert(i, (name, value)),
        }
        self
    }

    /// The field of that name.
    pub fn get(&self, name: &str) -> Option<&Scalar> {
        let i = self.fields.binary_search_by(|(have, _)| have.as_str().cmp(name)).ok()?;
        self.fields.get(i).map(|(_, value)| value)
    }

    /// All fields, sorted by name.
    pub fn fields(&self) -> &[(String, Scalar)] {
        &self.fields
    }
}

/// The value of a property or an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// One scalar.
    Scalar(Scalar),
    /// A list of scalars; lists do not nest.
    List(Vec<Scalar>),
    /// A list of records: the `products` of an order.
    Records(Vec<Record>),
}

impl Value {
    /// The scalars in it: the one, or those of the list; none of a list of records.
    pub fn scalars(&self) -> &[Scalar] {
        match self {
            Self::Scalar(one) => std::slice::from_ref(one),
            Self::List(many) => many,
            Self::Records(_) => &[],
        }
    }
}

macro_rules! scalar_from {
    ($($from:ty => |$x:ident| $to:expr),* $(,)?) => {$(
        impl From<$from> for Scalar {
            fn from($x: $from) -> Self {
                $to
            }
        }
        impl From<$from> for Value {
            fn from(x: $from) -> Self {
                Self::Scalar(x.into())
            }
        }
    )*};
}

scalar_from! {
    bool => |x| Self::Bool(x),
    i32 => |x| Self::Int(x.into()),
    u32 => |x| Self::Int(x.into()),
    i64 => |x| Self::Int(x),
    f64 => |x| Self::Float(x),
    &str => |x| Self::String(x.to_owned()),
    String => |x| Self::String(x),
    Timestamp => |x| Self::Instant(x),
}

impl<Tz: TimeZone> From<DateTime<Tz>> for Scalar {
    fn from(at: DateTime<Tz>) -> Self {
        Self::Instant(at.into())
    }
}

impl<Tz: TimeZone> From<DateTime<Tz>> for Value {
    fn from(at: DateTime<Tz>) -> Self {
        Self::Scalar(at.into())
    }
}

impl From<Scalar> for Value {
    fn from(one: Scalar) -> Self {
        Self::Scalar(one)
    }
}

impl<T: Into<Scalar>> From<Vec<T>> for Value {
    fn from(many: Vec<T>) -> Self {
        Self::List(many.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Scalar>, const N: usize> From<[T; N]> for Value {
    fn from(many: [T; N]) -> Self {
        Self::List(many.into_iter().map(Into::into).collect())
    }
}

impl From<Vec<Record>> for Value {
    fn from(records: Vec<Record>) -> Self {
        Self::Records(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_exactly_across_kinds() {
        let cases = [
            (Number::Int(i64::MAX), Number::Float(TWO_63), Ordering::Less),
            (Number::Int(i64::MIN), Number::Float(-TWO_63), Ordering::Equal),
            (Number::Int((1 << 53) + 1), Number::Float(9_007_199_254_740_992.0), Ordering::Greater),
            (Number::Int(1), Number::Float(1.5), Ordering::Less),
            (Number::Int(-1), Number::Float(-1.5), Ordering::Greater),
            (Number::Int(0), Number::Float(-0.0), Ordering::Equal),
            (Number::Int(0), Number::Float(f64::MIN_POSITIVE), Ordering::Less),
        ];
        for (a, b, want) in cases {
            assert_eq!(a.cmp(&b), want, "{a:?} {b:?}");
            assert_eq!(b.cmp(&a), want.reverse(), "{b:?} {a:?}");
        }
    }

    #[test]
    fn equal_numbers_hash_alike() {
        let hash = |s: Scalar| {
            let mut h = std::hash::DefaultHasher::new();
            s.hash(&mut h);
            h.finish()
        };
        assert_eq!(hash(1.into()), hash(1.0.into()));
        assert_eq!(hash(0.into()), hash((-0.0).into()));
    }

    #[test]
    fn kinds_never_mix() {
        assert_ne!(Scalar::from(true), Scalar::from(1));
        assert_ne!(Scalar::from("1"), Scalar::from(1));
        assert_eq!(Scalar::from(Timestamp::from_millis(1)).compare(&1.into()), None);
        assert_eq!(Scalar::from(true).compare(&false.into()), None);
    }
}
