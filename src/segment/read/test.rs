//! Tests on a value, and filters made of them.

use super::{Read, items, name, object, window};
use crate::json::{Fault, Json, Object, Path, read_scalar, span_text};
use crate::segment::validate::check_level;
use crate::segment::{Comparison, Filter, Test};
use crate::value::Scalar;

/// The comparisons, of which a test has exactly one.
const COMPARISONS: [&str; 19] = [
    "eq",
    "ne",
    "in",
    "not_in",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "matches",
    "not_matches",
    "exists",
    "within",
    "anniversary",
    "any_element",
];

const IGNORE_CASE: &str = "ignore_case";

/// Reads a filter that stands below `level − 1` expressions and filters.
pub(in crate::segment) fn filter(json: &Json, path: &Path<'_>, level: usize) -> Read<Filter> {
    check_level(path, level)?;
    let all = |json: &Json, path: &Path<'_>| {
        items(json, path, "a list of filters", |item, path| filter(item, path, level + 1))
    };
    if let Json::Array(_) = json {
        return all(json, path).map(Filter::All);
    }
    const FORMS: [&str; 3] = ["all", "any", "not"];
    let object = Object::read(json, path, "a filter: an object, or a list of filters")?;
    if object.get("property").is_some() {
        let test = test(&object, &["property"], level)?;
        return Ok(Filter::Property { name: object.need("property", name)?, test });
    }
    object.only(&[&["property"], &FORMS])?;
    let form = object.exactly_one(&FORMS, "a property with a test, or exactly one form")?;
    object.need(form, |json, path| match form {
        "all" => all(json, path).map(Filter::All),
        "any" => all(json, path).map(Filter::Any),
        _ => Ok(Filter::Not(Box::new(filter(json, path, level + 1)?))),
    })
}

/// Reads the test among the keys of an object that has no others than it and those `beside` it.
pub(in crate::segment) fn test(object: &Object<'_, '_>, beside: &[&str], level: usize) -> Read<Test> {
    object.only(&[beside, &COMPARISONS, &[IGNORE_CASE]])?;
    let key = object.exactly_one(&COMPARISONS, "exactly one test")?;
    let comparison = object.need(key, |json, path| comparison(key, json, path, level))?;
    let ignore_case = object.maybe(IGNORE_CASE, |json, path| match json {
        Json::Bool(b) if comparison.knows_case() => Ok(*b),
        Json::Bool(b) => Err(Fault::new(path, format!("{b} beside {key:?}"), "no such key there")),
        other => Err(other.fault(path, "true or false")),
    })?;
    Ok(Test { comparison, ignore_case: ignore_case.unwrap_or(false) })
}

fn comparison(key: &str, json: &Json, path: &Path<'_>, level: usize) -> Read<Comparison> {
    let scalar = || read_scalar(json, path);
    let scalars = || -> Read<Vec<Scalar>> {
        items(json, path, "a list of scalars", |item, path| Ok(read_scalar(item, path)?))
    };
    let text = || json.text(path, "a text").map(str::to_owned);
    Ok(match key {
        "eq" => Comparison::Eq(scalar()?),
        "ne" => Comparison::Ne(scalar()?),
        "in" => Comparison::In(scalars()?),
        "not_in" => Comparison::NotIn(scalars()?),
        "gt" => Comparison::Gt(scalar()?),
        "gte" => Comparison::Gte(scalar()?),
        "lt" => Comparison::Lt(scalar()?),
        "lte" => Comparison::Lte(scalar()?),
        "between" => {
            let [a, b] = json.pair(path, "a list of two scalars")?;
            Comparison::Between(read_scalar(a, &path.index(0))?, read_scalar(b, &path.index(1))?)
        }
        "contains" => Comparison::Contains(text()?),
        "not_contains" => Comparison::NotContains(text()?),
        "starts_with" => Comparison::StartsWith(text()?),
        "ends_with" => Comparison::EndsWith(text()?),
        "matches" => Comparison::Matches(text()?),
        "not_matches" => Comparison::NotMatches(text()?),
        "exists" => match json {
            Json::Bool(b) => Comparison::Exists(*b),
            other => return Err(other.fault(path, "true or false").into()),
        },
        "within" => Comparison::Within(window(json, path, level)?),
        "anniversary" => {
            let object = object(json, path, &["next", "tz"])?;
            Comparison::Anniversary { next: object.need("next", span_text)?, tz: super::window::tz(&object)? }
        }
        _ => Comparison::AnyElement(Box::new(filter(json, path, level + 1)?)),
    })
}
