//! The tree as JSON text, without blanks.

use std::fmt::{self, Write};

use super::Json;

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            // the shortest text that reads back as this number, and never as an integer
            Self::Float(x) if x.is_finite() => write!(f, "{x:?}"),
            Self::Float(_) => f.write_str("null"),
            Self::String(text) => string(f, text),
            Self::Array(items) => {
                f.write_char('[')?;
                for (i, item) in items.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    item.fmt(f)?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (i, (key, value)) in members.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    string(f, key)?;
                    f.write_char(':')?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
        }
    }
}

fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\0'..' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trees() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Int),
            any::<f64>().prop_map(|x| Json::Float(if x.is_finite() && x != 0.0 { x } else { 0.5 })),
            any::<String>().prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(json in trees()) {
            let text = json.to_string();
            prop_assert_eq!(Json::parse(&text), Ok(json.clone()));
            prop_assert_eq!(&serde_json::from_str::<Json>(&text).unwrap(), &json);
            prop_assert_eq!(serde_json::from_str::<Json>(&serde_json::to_string(&json).unwrap()).unwrap(), json);
        }

        #[test]
        fn text_that_serde_json_refuses_is_refused(text in "[\\[\\]{}\",:0-9eE+.\\-truefalsn \\\\ud]{0,12}") {
            let ours = Json::parse(&text).is_ok();
            let theirs = serde_json::from_str::<Json>(&text).is_ok();
            // theirs takes an integer beyond 64 bits for a float
            prop_assert!(ours == theirs || (theirs && text.bytes().filter(u8::is_ascii_digit).count() > 18));
        }
    }
}
