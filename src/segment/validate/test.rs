//! Tests on a value and filters.

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use super::{Checked, Outline, Place, bytes, name, number, span, window};
use crate::json::Path;
use crate::limits;
use crate::segment::{Comparison, Filter, SegmentError, Test, compile, write};
use crate::value::{Number, Scalar};

impl Outline {
    pub(in crate::segment) fn filter(&mut self, filter: &Filter, path: &Path<'_>, level: usize) -> Checked {
        self.node(path, level)?;
        match filter {
            Filter::Property { name: property, test } => {
                name(property, &path.key("property"))?;
                self.test(test, path, level)
            }
            Filter::All(of) => self.filters(of, &path.key("all"), level + 1),
            Filter::Any(of) => self.filters(of, &path.key("any"), level + 1),
            Filter::Not(of) => self.filter(of, &path.key("not"), level + 1),
        }
    }

    fn filters(&mut self, of: &[Filter], path: &Path<'_>, level: usize) -> Checked {
        of.iter().enumerate().try_for_each(|(i, one)| self.filter(one, &path.index(i), level))
    }

    /// A test among the keys of an object at a path.
    pub(in crate::segment) fn test(&mut self, test: &Test, path: &Path<'_>, level: usize) -> Checked {
        let Test { comparison, ignore_case } = test;
        let key = write::comparison_key(comparison);
        if *ignore_case && !comparison.knows_case() {
            let given = format!("beside {key:?}");
            return Err(SegmentError::invalid(
                &path.key("ignore_case"),
                given,
                "a comparison that knows case",
            ));
        }
        let path = &path.key(key);
        match comparison {
            Comparison::Eq(of) | Comparison::Ne(of) => scalar(of, path),
            Comparison::In(of) | Comparison::NotIn(of) => {
                of.iter().enumerate().try_for_each(|(i, one)| scalar(one, &path.index(i)))
            }
            Comparison::Gt(of) | Comparison::Gte(of) | Comparison::Lt(of) | Comparison::Lte(of) => {
                scalar(of, path)?;
                ordered(of, path)
            }
            Comparison::Between(low, high) => between(low, high, path),
            Comparison::Contains(of)
            | Comparison::NotContains(of)
            | Comparison::StartsWith(of)
            | Comparison::EndsWith(of) => text(of, path),
            Comparison::Matches(of) | Comparison::NotMatches(of) => {
                let regex = regex(of, *ignore_case, path)?;
                self.patterns.iter_mut().for_each(|patterns| patterns.push(Arc::clone(&regex)));
                Ok(())
            }
            Comparison::Exists(_) => Ok(()),
            Comparison::Within(window) => self.window(window, Place::Test, path, level),
            Comparison::Anniversary { next, tz: _ } => span(*next, &path.key("next")),
            Comparison::AnyElement(of) => self.filter(of, path, level + 1),
        }
    }
}

/// A scalar that a fact could hold.
pub(super) fn scalar(scalar: &Scalar, path: &Path<'_>) -> Checked {
    match scalar {
        Scalar::Bool(_) | Scalar::Int(_) => Ok(()),
        Scalar::Float(x) if x.is_finite() => Ok(()),
        Scalar::Float(x) => Err(SegmentError::invalid(path, number(Number::Float(*x)), "a finite number")),
        Scalar::String(of) => text(of, path),
        Scalar::Instant(at) => window::instant(*at, path),
    }
}

fn text(text: &str, path: &Path<'_>) -> Checked {
    bytes(text, "a text", limits::MAX_STRING, path)
}

/// A scalar of a kind that has an order.
fn ordered(scalar: &Scalar, path: &Path<'_>) -> Checked {
    match scalar {
        Scalar::Bool(b) => Err(SegmentError::invalid(
            path,
            b.to_string(),
            "a number, a string or an instant: bools have no order",
        )),
        _ => Ok(()),
    }
}

fn between(low: &Scalar, high: &Scalar, path: &Path<'_>) -> Checked {
    for (i, one) in [low, high].into_iter().enumerate() {
        scalar(one, &path.index(i))?;
        ordered(one, &path.index(i))?;
    }
    let expected = match low.compare(high) {
        Some(Ordering::Less | Ordering::Equal) => return Ok(()),
        Some(Ordering::Greater) => "the lower one first",
        None => "two of one kind",
    };
    Err(SegmentError::invalid(path, write::scalars_text(&[low, high]), expected))
}

fn regex(pattern: &str, ignore_case: bool, path: &Path<'_>) -> Result<Arc<Regex>, SegmentError> {
    text(pattern, path)?;
    compile(pattern, ignore_case).map_err(|error| SegmentError::Regex {
        path: path.to_string(),
        pattern: pattern.to_owned(),
        message: error.to_string(),
    })
}
