//! The tree through serde: read from any self-describing format, written to any format.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

use super::{Json, MAX_NESTING, lex::parse_number, object::Members, shown};

/// Reads a value below so many others.
struct Below(usize);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Below(0).deserialize(deserializer)
    }
}

impl<'de> DeserializeSeed<'de> for Below {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Below {
    fn inside<E: Error>(&self) -> Result<usize, E> {
        if self.0 < MAX_NESTING {
            return Ok(self.0 + 1);
        }
        Err(E::custom(format_args!("more than {MAX_NESTING} lists and objects inside each other")))
    }
}

fn integer<E: Error, N: TryInto<i64> + fmt::Display + Copy>(n: N) -> Result<Json, E> {
    match n.try_into() {
        Ok(n) => Ok(Json::Int(n)),
        Err(_) => Err(E::custom(format_args!("the integer {n} does not fit into 64 bits"))),
    }
}

impl<'de> Visitor<'de> for Below {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Below(self.inside()?).deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Below(self.inside()?).deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Json, E> {
        Ok(Json::Bool(b))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Json, E> {
        Ok(Json::Int(n))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Json, E> {
        integer(n)
    }

    fn visit_i128<E: Error>(self, n: i128) -> Result<Json, E> {
        integer(n)
    }

    fn visit_u128<E: Error>(self, n: u128) -> Result<Json, E> {
        integer(n)
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Json, E> {
        if x.is_finite() {
            return Ok(Json::Float(if x == 0.0 { 0.0 } else { x }));
        }
        Err(E::custom(format_args!("the number {x} is not finite")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let depth = self.inside()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Below(depth))? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let depth = self.inside()?;
        let mut members = Members::default();
        while let Some(key) = access.next_key::<String>()? {
            if members.has(&key) {
                return Err(A::Error::custom(format_args!("the key {} is given twice", shown(&key))));
            }
            let value = access.next_value_seed(Below(depth))?;
            members.push(key, value);
        }
        match members.into_json() {
            Json::Object(members) => exact_number(members).map_err(A::Error::custom),
            other => Ok(other),
        }
    }
}

/// The one key under which `serde_json` hands numbers over as text once any crate of a program turns its feature
/// `arbitrary_precision` on.
const NUMBER: &str = "$serde_json::private::Number";

/// An object, or the number that one stands for.
fn exact_number(members: Vec<(String, Json)>) -> Result<Json, String> {
    match members.as_slice() {
        [(key, Json::String(text))] if key == NUMBER => parse_number(text).map_err(|e| e.message),
        _ => Ok(Json::Object(members)),
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(n) => serializer.serialize_i64(*n),
            Self::Float(x) => serializer.serialize_f64(*x),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| seq.serialize_element(item))?;
                seq.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

/// What is written as text, also from formats that have to be told what comes next.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
    match deserializer.is_human_readable() {
        true => Json::deserialize(deserializer),
        false => deserializer.deserialize_str(Below(0)),
    }
}

/// Implements serde for types by way of the tree: how they are read from it, and how they are written as it. Those that are
/// all text are read from any format, the others from those that describe themselves.
macro_rules! through_json {
    ($($(#[doc = $doc:literal])* $type:ty: $read:expr, $write:expr;)*) => {
        $crate::json::through_json! { @by <$crate::json::Json as serde::Deserialize>::deserialize; $($(#[doc = $doc])* $type: $read, $write;)* }
    };
    (text: $($(#[doc = $doc:literal])* $type:ty: $read:expr, $write:expr;)*) => {
        $crate::json::through_json! { @by $crate::json::text; $($(#[doc = $doc])* $type: $read, $write;)* }
    };
    (@by $from:expr; $($(#[doc = $doc:literal])* $type:ty: $read:expr, $write:expr;)*) => {$(
        $(#[doc = $doc])*
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&Self) -> Result<$crate::json::Json, $crate::json::Fault> = $write;
                let json = write(self).map_err(serde::ser::Error::custom)?;
                json.serialize(serializer)
            }
        }

        $(#[doc = $doc])*
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let json = $from(deserializer)?;
                $read(&json, &$crate::json::Path::ROOT).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

pub(crate) use through_json;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: serde_json::Value) -> Result<Json, String> {
        serde_json::from_value(json).map_err(|e: serde_json::Error| e.to_string())
    }

    #[test]
    fn integers_beyond_64_bits_are_errors() {
        assert_eq!(read(json!(i64::MAX)), Ok(Json::Int(i64::MAX)));
        assert!(read(json!(i64::MAX as u64 + 1)).unwrap_err().contains("does not fit"));
    }

    #[test]
    fn numbers_of_arbitrary_precision_are_numbers() {
        assert_eq!(read(json!({ NUMBER: "7" })), Ok(Json::Int(7)));
        assert_eq!(read(json!({ NUMBER: "1e2" })), Ok(Json::Float(100.0)));
        for text in ["9223372036854775808", "1e400", "true", "", "1 2"] {
            assert!(read(json!({ NUMBER: text })).is_err(), "{text}");
        }
    }

    #[test]
    fn absurd_nesting_is_an_error() {
        let deep = (0..1_000).fold(json!(1), |inner, _| serde_json::Value::Array(vec![inner]));
        assert!(read(deep).unwrap_err().contains("inside each other"));
        let deep = (0..MAX_NESTING).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert!(read(deep).is_ok());
    }

    #[test]
    fn a_key_given_twice_is_an_error() {
        let twice = serde_json::from_str::<Json>(r#"{"a":1,"\u0061":1}"#);
        assert!(twice.unwrap_err().to_string().contains("given twice"));
    }
}
