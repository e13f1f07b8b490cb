//! The strict reader of JSON text (RFC 8259), with the place of what is wrong.

use super::{Json, MAX_NESTING, object::Members, shown};

/// What is wrong in a text, and where: lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

/// Reads one document that is the whole text.
pub(super) fn parse(text: &str) -> Result<Json, SyntaxError> {
    let mut reader = Reader { text, at: 0 };
    let read = reader.value(0).and_then(|json| {
        reader.blanks();
        if reader.at == text.len() { Ok(json) } else { Err(reader.unexpected("the end of the document")) }
    });
    read.map_err(|Wrong { at, message }| locate(text, at, message))
}

/// Reads the text of a number.
pub(super) fn parse_number(text: &str) -> Result<Json, SyntaxError> {
    match parse(text)? {
        number @ (Json::Int(_) | Json::Float(_)) => Ok(number),
        _ => Err(SyntaxError { line: 1, column: 1, message: "expected a number".to_owned() }),
    }
}

/// An error at an offset.
struct Wrong {
    at: usize,
    message: String,
}

fn locate(text: &str, at: usize, message: String) -> SyntaxError {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    SyntaxError { line, column: before[line_start..].chars().count() + 1, message }
}

struct Reader<'t> {
    text: &'t str,
    /// In bytes, always at the start of a character.
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn wrong(&self, at: usize, message: impl Into<String>) -> Wrong {
        Wrong { at, message: message.into() }
    }

    fn unexpected(&self, expected: &str) -> Wrong {
        let given = match self.rest().chars().next() {
            Some(c) => format!("{c:?}"),
            None => "the end of the text".to_owned(),
        };
        self.wrong(self.at, format!("expected {expected}, not {given}"))
    }

    fn value(&mut self, depth: usize) -> Result<Json, Wrong> {
        self.blanks();
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_NESTING => {
                Err(self
                    .wrong(self.at, format!("more than {MAX_NESTING} lists and objects inside each other")))
            }
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json, Wrong> {
        let words = [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)];
        for (word, json) in words {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(json);
            }
        }
        Err(self.unexpected("a value"))
    }

    fn array(&mut self, depth: usize) -> Result<Json, Wrong> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blanks();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.unexpected("',' or ']'"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Wrong> {
        self.at += 1;
        let mut members = Members::default();
        self.blanks();
        if self.take(b'}') {
            return Ok(members.into_json());
        }
        loop {
            self.blanks();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key"));
            }
            let key = self.string()?;
            if members.has(&key) {
                return Err(self.wrong(at, format!("the key {} is given twice", shown(&key))));
            }
            self.blanks();
            if !self.take(b':') {
                return Err(self.unexpected("':'"));
            }
            let value = self.value(depth)?;
            members.push(key, value);
            self.blanks();
            if self.take(b'}') {
                return Ok(members.into_json());
            }
            if !self.take(b',') {
                return Err(self.unexpected("',' or '}'"));
            }
        }
    }

    /// Takes digits, at least one.
    fn digits(&mut self) -> Result<(), Wrong> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count == 0 { Err(self.unexpected("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Json, Wrong> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut whole = true;
        if self.take(b'.') {
            whole = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            whole = false;
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let literal = self.text.get(start..self.at).unwrap_or("");
        if whole {
            return literal
                .parse()
                .map(Json::Int)
                .map_err(|_| self.wrong(start, format!("the integer {literal} does not fit into 64 bits")));
        }
        match literal.parse::<f64>() {
            Ok(x) if x.is_finite() => Ok(Json::Float(if x == 0.0 { 0.0 } else { x })),
            _ => Err(self.wrong(start, format!("the number {literal} is beyond every 64-bit float"))),
        }
    }

    fn string(&mut self) -> Result<String, Wrong> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let plain = self.rest().bytes().take_while(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).count();
            out.push_str(self.rest().get(..plain).unwrap_or(""));
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.wrong(self.at, "a control character inside a string")),
                None => return Err(self.unexpected("'\"'")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(b'u') => return self.unicode(start),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            _ => return Err(self.unexpected("one of \" \\ / b f n r t u after a backslash")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them that make one character.
    fn unicode(&mut self, start: usize) -> Result<char, Wrong> {
        let first = self.hex()?;
        let code = match first {
            0xd800..0xdc00 if self.rest().starts_with("\\u") => {
                self.at += 1;
                let second = self.hex()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err(self.wrong(start, "half of a surrogate pair"));
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.wrong(start, "half of a surrogate pair"))
    }

    /// `uXXXX`
    fn hex(&mut self) -> Result<u32, Wrong> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.unexpected("four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_they_say() {
        for (text, want) in [
            ("9223372036854775807", Json::Int(i64::MAX)),
            ("-9223372036854775808", Json::Int(i64::MIN)),
            ("-0", Json::Int(0)),
            ("1.0", Json::Float(1.0)),
            ("1E2", Json::Float(100.0)),
            ("0.1e-400", Json::Float(0.0)),
            ("1e-400", Json::Float(0.0)),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        assert!(matches!(parse("-0.0"), Ok(Json::Float(x)) if x.is_sign_positive()));
        for text in
            ["9223372036854775808", "1e400", "-1e400", "01", "1.", ".5", "+1", "-", "1e", "0x1", "NaN", "- 1"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn strings_are_strict() {
        assert_eq!(parse(r#""\ud83d\ude00\u00e9\n\/""#), Ok(Json::String("😀é\n/".to_owned())));
        for text in [
            r#""\ud83d""#,
            r#""\ud83d\u0041""#,
            r#""\ude00""#,
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u+123""#,
            "\"\n\"",
            "\"",
            "'a'",
            r#""\u12"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn documents_are_strict() {
        for text in [
            "",
            " ",
            "{}{}",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "[1 2]",
            "{\"a\" 1}",
            "nul",
            "tru",
            "\u{feff}{}",
            "[",
            "{",
            "{\"a\"",
            "// x\n1",
            "\u{a0}1",
            "truee",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(" {\"a\" : [ ] , \"b\":{ } }\r\n").is_ok());
    }

    #[test]
    fn a_key_given_twice_is_an_error_where_it_stands() {
        let error = parse("{\n  \"é\": 1, \"é\": null}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 11));
        assert!(error.message.contains("twice"), "{}", error.message);
        let keys: Vec<String> = (0..100).map(|i| format!("\"k{}\":1", i % 99)).collect();
        assert!(parse(&format!("{{{}}}", keys.join(","))).is_err());
        assert!(parse(r#"{"a":1,"\u0061":1}"#).is_err());
    }

    #[test]
    fn absurd_nesting_is_an_error() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse(&nested(MAX_NESTING)).is_ok());
        assert!(parse(&nested(MAX_NESTING + 1)).is_err());
        assert!(parse(&"[".repeat(1_000_000)).is_err());
        assert!(parse(&"{\"a\":".repeat(1_000_000)).is_err());
    }
}
