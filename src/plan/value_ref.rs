//! Borrowed values: what a store hands over without copying, with the law's equality and order.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;

use crate::time::Timestamp;
use crate::value::{Number, Record, Scalar, Value};

/// A scalar that borrows its text; equal, ordered and hashed as [`Scalar`] is.
#[derive(Clone, Copy, Debug)]
pub enum ScalarRef<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Str(&'a str),
    /// An instant, in milliseconds since 1970-01-01T00:00:00Z.
    Instant(i64),
}

/// A value that borrows its text, its list or its records.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// One scalar.
    Scalar(ScalarRef<'a>),
    /// A list of scalars.
    List(&'a [Scalar]),
    /// A list of records.
    Records(&'a [Record]),
}

impl<'a> From<&'a Scalar> for ScalarRef<'a> {
    fn from(scalar: &'a Scalar) -> Self {
        match scalar {
            Scalar::Bool(b) => Self::Bool(*b),
            Scalar::Int(n) => Self::Int(*n),
            Scalar::Float(x) => Self::Float(*x),
            Scalar::String(s) => Self::Str(s),
            Scalar::Instant(at) => Self::Instant(at.millis()),
        }
    }
}

impl From<ScalarRef<'_>> for Scalar {
    fn from(scalar: ScalarRef<'_>) -> Self {
        match scalar {
            ScalarRef::Bool(b) => Self::Bool(b),
            ScalarRef::Int(n) => Self::Int(n),
            ScalarRef::Float(x) => Self::Float(x),
            ScalarRef::Str(s) => Self::String(s.to_owned()),
            ScalarRef::Instant(at) => Self::Instant(Timestamp::from_millis(at)),
        }
    }
}

impl<'a> From<&'a Scalar> for ValueRef<'a> {
    fn from(scalar: &'a Scalar) -> Self {
        Self::Scalar(scalar.into())
    }
}

impl<'a> From<ScalarRef<'a>> for ValueRef<'a> {
    fn from(scalar: ScalarRef<'a>) -> Self {
        Self::Scalar(scalar)
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Scalar(one) => one.into(),
            Value::List(many) => Self::List(many),
            Value::Records(records) => Self::Records(records),
        }
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Scalar(one) => Self::Scalar(one.into()),
            ValueRef::List(many) => Self::List(many.to_vec()),
            ValueRef::Records(records) => Self::Records(records.to_vec()),
        }
    }
}

impl ScalarRef<'_> {
    /// The number in it, where it is one.
    pub fn number(self) -> Option<Number> {
        match self {
            Self::Int(n) => Some(Number::Int(n)),
            Self::Float(x) => Some(Number::Float(x)),
            _ => None,
        }
    }

    /// The order of two of one kind; bools, and values of different kinds, have none.
    pub fn compare(self, other: ScalarRef<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Str(a), ScalarRef::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Instant(a), ScalarRef::Instant(b)) => Some(a.cmp(&b)),
            (a, b) => Some(a.number()?.cmp(&b.number()?)),
        }
    }
}

impl<'b> PartialEq<ScalarRef<'b>> for ScalarRef<'_> {
    fn eq(&self, other: &ScalarRef<'b>) -> bool {
        match (*self, *other) {
            (Self::Bool(a), ScalarRef::Bool(b)) => a == b,
            (Self::Str(a), ScalarRef::Str(b)) => a == b,
            (a, b) => a.compare(b) == Some(Ordering::Equal),
        }
    }
}

impl Eq for ScalarRef<'_> {}

impl Hash for ScalarRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Self::Bool(b) => (0u8, b).hash(state),
            Self::Int(n) => (1u8, Number::Int(n)).hash(state),
            Self::Float(x) => (1u8, Number::Float(x)).hash(state),
            Self::Str(s) => (2u8, s).hash(state),
            Self::Instant(at) => (3u8, at).hash(state),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The scalar in it; none in a list, however short, or in records.
    pub fn scalar(self) -> Option<ScalarRef<'a>> {
        match self {
            Self::Scalar(one) => Some(one),
            Self::List(_) | Self::Records(_) => None,
        }
    }

    /// The number in it, where it is one number.
    pub fn number(self) -> Option<Number> {
        self.scalar().and_then(ScalarRef::number)
    }

    /// The instant in it, where it is one instant.
    pub fn instant(self) -> Option<i64> {
        match self {
            Self::Scalar(ScalarRef::Instant(at)) => Some(at),
            _ => None,
        }
    }

    /// Whether the scalar, or some element of the list, passes; records are no scalars.
    pub fn any_scalar(self, mut passes: impl FnMut(ScalarRef<'a>) -> bool) -> bool {
        match self {
            Self::Scalar(one) => passes(one),
            Self::List(many) => many.iter().any(|one| passes(one.into())),
            Self::Records(_) => false,
        }
    }
}

/// Lists and records are equal element by element; a list equals no scalar.
impl<'b> PartialEq<ValueRef<'b>> for ValueRef<'_> {
    fn eq(&self, other: &ValueRef<'b>) -> bool {
        match (*self, *other) {
            (Self::Scalar(a), ValueRef::Scalar(b)) => a == b,
            (Self::List(a), ValueRef::List(b)) => a == b,
            (Self::Records(a), ValueRef::Records(b)) => a == b,
            _ => false,
        }
    }
}

/// A set of scalars.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScalarSet {
    scalars: HashTable<Scalar>,
    hasher: foldhash::fast::FixedState,
}

impl ScalarSet {
    /// Takes in a scalar, and copies it only when it is new.
    pub(crate) fn insert(&mut self, one: ScalarRef<'_>) {
        let Self { scalars, hasher } = self;
        scalars
            .entry(
                hasher.hash_one(one),
                |have| one == have.into(),
                |have| hasher.hash_one(ScalarRef::from(have)),
            )
            .or_insert_with(|| one.into());
    }

    pub(crate) fn contains(&self, one: ScalarRef<'_>) -> bool {
        self.scalars.find(self.hasher.hash_one(one), |have| one == have.into()).is_some()
    }
}

/// The distinct values of a property, and how often each is there: scalars, elements of lists, and records.
#[derive(Clone, Debug, Default)]
pub(crate) struct DistinctSet {
    scalars: HashTable<(Scalar, u64)>,
    records: HashTable<(Record, u64)>,
    hasher: foldhash::fast::FixedState,
    /// Of its texts and records.
    bytes: usize,
}

impl DistinctSet {
    /// Takes in a value; a list contributes its elements.
    pub(crate) fn insert(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Scalar(one) => self.insert_scalar(one),
            ValueRef::List(many) => many.iter().for_each(|one| self.insert_scalar(one.into())),
            ValueRef::Records(records) => records.iter().for_each(|one| self.insert_record(one)),
        }
    }

    /// Takes a value out that has been taken in.
    pub(crate) fn remove(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Scalar(one) => self.remove_scalar(one),
            ValueRef::List(many) => many.iter().for_each(|one| self.remove_scalar(one.into())),
            ValueRef::Records(records) => records.iter().for_each(|one| self.remove_record(one)),
        }
    }

    fn insert_scalar(&mut self, one: ScalarRef<'_>) {
        let Self { scalars, hasher, bytes, .. } = self;
        let is_it = |have: &(Scalar, u64)| one == (&have.0).into();
        let hash = |have: &(Scalar, u64)| hasher.hash_one(ScalarRef::from(&have.0));
        let entry = scalars.entry(hasher.hash_one(one), is_it, hash).or_insert_with(|| {
            *bytes += bytes_of(one);
            (one.into(), 0)
        });
        entry.into_mut().1 += 1;
    }

    fn insert_record(&mut self, one: &Record) {
        let Self { records, hasher, bytes, .. } = self;
        let hash = |have: &(Record, u64)| hasher.hash_one(&have.0);
        let entry = records.entry(hasher.hash_one(one), |have| have.0 == *one, hash).or_insert_with(|| {
            *bytes += bytes_of_record(one);
            (one.clone(), 0)
        });
        entry.into_mut().1 += 1;
    }

    fn remove_scalar(&mut self, one: ScalarRef<'_>) {
        let hash = self.hasher.hash_one(one);
        if is_last(self.scalars.find_entry(hash, |have| one == (&have.0).into()).ok()) {
            self.bytes -= bytes_of(one);
        }
    }

    fn remove_record(&mut self, one: &Record) {
        let hash = self.hasher.hash_one(one);
        if is_last(self.records.find_entry(hash, |have| have.0 == *one).ok()) {
            self.bytes -= bytes_of_record(one);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        (self.scalars.len() + self.records.len()) as u64
    }

    /// Bytes that it holds.
    pub(crate) fn memory(&self) -> usize {
        self.scalars.allocation_size() + self.records.allocation_size() + self.bytes
    }
}

/// One time less; the last takes it out, which is told.
fn is_last<T>(found: Option<OccupiedEntry<'_, (T, u64)>>) -> bool {
    let Some(mut entry) = found else { return false };
    entry.get_mut().1 -= 1;
    let is_last = entry.get().1 == 0;
    if is_last {
        entry.remove();
    }
    is_last
}

/// What a scalar holds elsewhere.
fn bytes_of(one: ScalarRef<'_>) -> usize {
    if let ScalarRef::Str(text) = one { text.len() } else { 0 }
}

/// About what a record holds.
fn bytes_of_record(one: &Record) -> usize {
    let of_field = |(name, value): &(String, Scalar)| {
        size_of::<(String, Scalar)>() + name.len() + bytes_of(value.into())
    };
    one.fields().iter().map(of_field).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_scalar() -> impl Strategy<Value = Scalar> {
        prop_oneof![
            any::<bool>().prop_map(Scalar::Bool),
            (-2_i64..3).prop_map(Scalar::Int),
            prop::sample::select(vec![i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1]).prop_map(Scalar::Int),
            prop::sample::select(vec![
                -0.0,
                0.5,
                1.0,
                9_007_199_254_740_992.0,
                -(2f64.powi(63)),
                2f64.powi(63)
            ])
            .prop_map(Scalar::Float),
            prop::sample::select(vec!["", "1", "a", "ä", "z"]).prop_map(Scalar::from),
            (-1_i64..2).prop_map(|at| Scalar::Instant(Timestamp::from_millis(at))),
        ]
    }

    proptest! {
        #[test]
        fn borrowed_scalars_are_as_owned_ones(a in any_scalar(), b in any_scalar()) {
            let (x, y) = (ScalarRef::from(&a), ScalarRef::from(&b));
            prop_assert_eq!(x == y, a == b);
            prop_assert_eq!(x.compare(y), a.compare(&b));
            prop_assert_eq!(Scalar::from(x), a.clone());
            let hasher = foldhash::fast::FixedState::default();
            prop_assert!(x != y || hasher.hash_one(x) == hasher.hash_one(y));
            prop_assert_eq!(ValueRef::from(x) == ValueRef::from(y), a == b);
        }

        #[test]
        fn distinct_values_are_those_of_a_set(
            scalars in prop::collection::vec(any_scalar(), 0..20),
            gone in prop::collection::vec(any_scalar(), 0..20),
        ) {
            let (mut set, mut list, mut have) = (DistinctSet::default(), DistinctSet::default(), Vec::new());
            gone.iter().for_each(|one| set.insert(one.into()));
            for one in &scalars {
                set.insert(one.into());
                if !have.contains(one) {
                    have.push(one.clone());
                }
            }
            set.remove(ValueRef::List(&gone));
            list.insert(ValueRef::List(&scalars));
            prop_assert_eq!(set.len(), have.len() as u64);
            prop_assert_eq!(list.len(), have.len() as u64);
        }
    }

    #[test]
    fn records_differ_when_any_field_does() {
        let shoe = Record::new().with("sku", "s").with("price", 1);
        let records = [shoe.clone(), shoe.clone().with("price", 1.0), shoe.clone().with("size", 40), shoe];
        let mut set = DistinctSet::default();
        set.insert(ValueRef::Records(&records));
        set.insert(ValueRef::Records(&records));
        assert_eq!(set.len(), 2);
        set.remove(ValueRef::Records(&records));
        assert_eq!(set.len(), 2);
        set.remove(ValueRef::Records(&records[..3]));
        assert_eq!(set.len(), 1); // the shoe that was there once more
    }

    #[test]
    fn a_list_equals_no_scalar() {
        let list = Value::from(vec![1]);
        assert_ne!(ValueRef::from(&list), ValueRef::from(&Scalar::Int(1)));
        assert_eq!(ValueRef::from(&list), ValueRef::from(&Value::from(vec![1.0])));
        assert_eq!(ValueRef::from(&list).number(), None);
        assert!(ValueRef::from(&list).any_scalar(|one| one == ScalarRef::Float(1.0)));
        assert_eq!(Value::from(ValueRef::from(&list)), list);
    }
}
