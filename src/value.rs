//! Typed values: what properties and attributes hold, and how they compare.

use crate::time::Timestamp;

/// A single value that is neither a list nor a record.
///
/// Equality is the law's: numbers compare by value across `i64` and `f64`, exactly, and values of
/// different kinds are never equal.
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

/// One record of a list of records: a flat map from field name to scalar.
///
/// Fields are kept sorted by name, so two records are equal when they hold equal fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// Sorted by name; names are unique.
    fields: Vec<(String, Scalar)>,
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

/// A number as written: an `i64` or a finite `f64`, compared exactly across the two.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
}
