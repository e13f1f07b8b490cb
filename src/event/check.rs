//! What is refused: the limits of the law, checked in one place by every store before anything is kept.

use super::{AttributeWrite, Event, Fact, Short};
use crate::limits::{MAX_NAME, MAX_PROPERTIES, MAX_STRING};
use crate::time::Timestamp;
use crate::value::{Record, Scalar, Value};

/// Why a fact is refused. Nothing of a refused fact is kept, and it uses no event id.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// A name or an id is empty.
    #[error("{fact}: {field} is empty")]
    Empty {
        /// The fact, in a few words.
        fact: String,
        /// Which part of it.
        field: String,
    },
    /// A name, an id or a string is too long.
    #[error("{fact}: {field} has {bytes} bytes where at most {limit} are allowed")]
    TooLong {
        /// The fact, in a few words.
        fact: String,
        /// Which part of it.
        field: String,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A number is NaN or infinite.
    #[error("{fact}: {field} is {value} where a finite number is expected")]
    NotFinite {
        /// The fact, in a few words.
        fact: String,
        /// Which part of it.
        field: String,
        /// What was given.
        value: f64,
    },
    /// An instant lies outside the years 1 to 9999.
    #[error("{fact}: {field} is {at}, outside the years 1 to 9999")]
    OutOfRange {
        /// The fact, in a few words.
        fact: String,
        /// Which part of it.
        field: String,
        /// What was given.
        at: Timestamp,
    },
    /// A live engine is told not to believe a fact that is dated so far ahead
    /// ([`Live::ahead_at_most`](crate::Live::ahead_at_most)).
    #[error("{fact}: it is dated {at}, and {most} is the latest that is believed now")]
    TooFarAhead {
        /// The fact, in a few words.
        fact: String,
        /// Its instant.
        at: Timestamp,
        /// The latest instant that is believed.
        most: Timestamp,
    },
    /// A property is given twice.
    #[error("{fact}: {field} is given twice")]
    Twice {
        /// The fact, in a few words.
        fact: String,
        /// Which property.
        field: String,
    },
    /// There are too many properties.
    #[error("{fact}: it has {count} properties where at most {limit} are allowed")]
    TooManyProperties {
        /// The fact, in a few words.
        fact: String,
        /// How many.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A text is no fact in JSON.
    #[error("not a fact in JSON: {0}")]
    Json(String),
    /// A user is merged into itself, perhaps by another of its ids.
    #[error("{from:?} and {into:?} are one user, which cannot be merged into itself")]
    MergedIntoItself {
        /// The id to be merged away.
        from: String,
        /// The id to be merged into.
        into: String,
    },
    /// The store is full.
    #[error("the store holds {} users, the most it can number", u32::MAX)]
    TooManyUsers,
}

/// Checks an instant before which events are to be dropped.
pub(crate) fn check_horizon(since: Timestamp) -> Result<(), IngestError> {
    Check { fact: || "retention".to_owned() }.instant(since, || "since".to_owned())
}

/// Checks the parts of one fact, which `fact` names when an error needs it.
struct Check<F: Fn() -> String> {
    fact: F,
}

impl<F: Fn() -> String> Check<F> {
    #[inline]
    fn name(&self, text: &str, field: impl Fn() -> String) -> Result<(), IngestError> {
        if text.is_empty() {
            return Err(IngestError::Empty { fact: (self.fact)(), field: field() });
        }
        self.length(text, MAX_NAME, field)
    }

    #[inline]
    fn length(&self, text: &str, limit: usize, field: impl Fn() -> String) -> Result<(), IngestError> {
        let bytes = text.len();
        if bytes <= limit {
            return Ok(());
        }
        Err(IngestError::TooLong { fact: (self.fact)(), field: field(), bytes, limit })
    }

    #[inline]
    fn instant(&self, at: Timestamp, field: impl Fn() -> String) -> Result<(), IngestError> {
        if at.in_range() {
            return Ok(());
        }
        Err(IngestError::OutOfRange { fact: (self.fact)(), field: field(), at })
    }

    fn scalar(&self, scalar: &Scalar, field: impl Fn() -> String) -> Result<(), IngestError> {
        match scalar {
            Scalar::Float(value) if !value.is_finite() => {
                Err(IngestError::NotFinite { fact: (self.fact)(), field: field(), value: *value })
            }
            Scalar::String(text) => self.length(text, MAX_STRING, field),
            Scalar::Instant(at) => self.instant(*at, field),
            _ => Ok(()),
        }
    }

    fn record(&self, record: &Record, field: impl Fn() -> String) -> Result<(), IngestError> {
        for (name, value) in record.fields() {
            let path = || format!("{}.{:?}", field(), Short(name));
            self.name(name, || format!("a field name of {}", field()))?;
            self.scalar(value, path)?;
        }
        Ok(())
    }

    fn value(&self, value: &Value, field: impl Fn() -> String) -> Result<(), IngestError> {
        match value {
            Value::Scalar(one) => self.scalar(one, field),
            Value::List(many) => many
                .iter()
                .enumerate()
                .try_for_each(|(i, one)| self.scalar(one, || format!("{}[{i}]", field()))),
            Value::Records(many) => many
                .iter()
                .enumerate()
                .try_for_each(|(i, one)| self.record(one, || format!("{}[{i}]", field()))),
        }
    }
}

impl Event {
    /// Checks it against the limits: names and ids, instants, finite numbers, number of properties and sizes.
    ///
    /// Every store does this before it looks at anything else of an event.
    ///
    /// # Errors
    /// The first part that is out of its limits.
    pub fn check(&self) -> Result<(), IngestError> {
        let check = Check { fact: || self.to_string() };
        check.name(&self.user, || "the user".into())?;
        check.name(&self.name, || "the name".into())?;
        check.instant(self.at, || "the instant".into())?;
        if let Some(id) = &self.id {
            check.name(id, || "the id".into())?;
        }
        let count = self.properties.len();
        if count > MAX_PROPERTIES {
            return Err(IngestError::TooManyProperties {
                fact: self.to_string(),
                count,
                limit: MAX_PROPERTIES,
            });
        }
        for (name, value) in &self.properties {
            check.name(name, || "a property name".into())?;
            check.value(value, || format!("property {:?}", Short(name)))?;
        }
        match twice(&self.properties) {
            None => Ok(()),
            Some(name) => Err(IngestError::Twice {
                fact: self.to_string(),
                field: format!("property {:?}", Short(name)),
            }),
        }
    }
}

/// A name that stands twice.
fn twice(properties: &[(String, Value)]) -> Option<&str> {
    if properties.len() <= 8 {
        // Fewer comparisons than sorting, and no allocation: nearly every event.
        return properties.iter().enumerate().find_map(|(i, (name, _))| {
            properties.iter().take(i).any(|(before, _)| before == name).then_some(name.as_str())
        });
    }
    let mut names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.array_windows().find_map(|[a, b]| (a == b).then_some(*a))
}

impl AttributeWrite {
    /// Checks it against the limits, as every store does before it looks at anything else of it.
    ///
    /// # Errors
    /// The first part that is out of its limits.
    pub fn check(&self) -> Result<(), IngestError> {
        let check = Check { fact: || self.to_string() };
        check.name(&self.user, || "the user".into())?;
        check.name(&self.name, || "the name".into())?;
        check.instant(self.at, || "the instant".into())?;
        self.value.as_ref().map_or(Ok(()), |value| check.value(value, || "the value".into()))
    }
}

impl Fact {
    /// Checks it against the limits, as every store does before it looks at anything else of it.
    ///
    /// # Errors
    /// The first part that is out of its limits.
    pub fn check(&self) -> Result<(), IngestError> {
        match self {
            Self::Event(event) => event.check(),
            Self::Attribute(write) => write.check(),
            Self::User { id, seen } => {
                let check = Check { fact: || self.to_string() };
                check.name(id, || "the id".into())?;
                check.instant(*seen, || "the instant".into())
            }
        }
    }
}

/// Checks an external id that a merge names, which `field` is: not empty, at most 512 bytes.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_merged(id: &str, field: &str) -> Result<(), IngestError> {
    Check { fact: || "merge".to_owned() }.name(id, || field.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn event() -> Event {
        Event::new("ada", "buy", at())
    }

    #[test]
    fn what_is_at_a_limit_is_taken() {
        let mut big = Event::new("u".repeat(512), "n".repeat(512), Timestamp::MAX).id("i".repeat(512));
        for i in 0..1_000 {
            big = big.with(format!("p{i}"), i);
        }
        assert_eq!(big.check(), Ok(()));
        assert_eq!(event().with("s", "x".repeat(1 << 20)).check(), Ok(()));
        assert_eq!(event().with("empty", Value::List(Vec::new())).with("text", "").check(), Ok(()));
        assert_eq!(Fact::user("a", Timestamp::MIN).check(), Ok(()));
        assert_eq!(AttributeWrite::removed("a", "plan", at()).check(), Ok(()));
    }

    #[test]
    fn what_is_past_a_limit_is_refused_and_named() {
        let late = Timestamp::from_millis(Timestamp::MAX.millis() + 1);
        let mut many = event();
        for i in 0..1_001 {
            many = many.with(format!("p{i}"), i);
        }
        let facts: [(Fact, &str); 17] = [
            (Event::new("", "buy", at()).into(), "event \"buy\" of \"\": the user is empty"),
            (Event::new("ada", "", at()).into(), "event \"\" of \"ada\": the name is empty"),
            (event().id("").into(), "event \"buy\" of \"ada\": the id is empty"),
            (event().with("", 1).into(), "event \"buy\" of \"ada\": a property name is empty"),
            (event().id("x".repeat(513)).into(), "the id has 513 bytes where at most 512 are allowed"),
            (event().with("x".repeat(513), 1).into(), "a property name has 513 bytes"),
            (event().with("p", f64::NAN).into(), "property \"p\" is NaN where a finite number is expected"),
            (event().with("p", vec![1.0, f64::INFINITY]).into(), "property \"p\"[1] is inf"),
            (
                event().with("p", vec![Record::new().with("q", f64::NEG_INFINITY)]).into(),
                "property \"p\"[0].\"q\" is -inf",
            ),
            (
                event().with("p", vec![Record::new().with("", 1)]).into(),
                "a field name of property \"p\"[0] is empty",
            ),
            (event().with("p", "x".repeat((1 << 20) + 1)).into(), "property \"p\" has 1048577 bytes"),
            (event().with("p", 1).with("q", 2).with("p", 3).into(), "property \"p\" is given twice"),
            (many.into(), "it has 1001 properties where at most 1000 are allowed"),
            (
                Event::new("ada", "buy", late).into(),
                "the instant is 10000-01-01T00:00:00Z, outside the years",
            ),
            (event().with("due", late).into(), "property \"due\" is 10000-01-01T00:00:00Z"),
            (
                AttributeWrite::set("ada", "x", f64::NAN, at()).into(),
                "attribute \"x\" of \"ada\": the value is NaN",
            ),
            (Fact::user("", at()), "user \"\": the id is empty"),
        ];
        for (fact, message) in facts {
            let error = fact.check().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_name_given_twice_among_many_is_found() {
        let mut many = event();
        for i in 0..20 {
            many = many.with(format!("p{}", i % 19), i);
        }
        assert!(matches!(many.check(), Err(IngestError::Twice { field, .. }) if field == "property \"p0\""));
    }
}
