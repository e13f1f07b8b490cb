//! Tests on text, as written or without regard to case.

/// What a text must be, or have in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextTest {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
}

impl TextTest {
    pub(super) fn passes(self, value: &str, text: &str) -> bool {
        match self {
            Self::Equals => value == text,
            Self::Contains => value.contains(text),
            Self::StartsWith => value.starts_with(text),
            Self::EndsWith => value.ends_with(text),
        }
    }

    /// The same with the value lower-cased; `text` already is.
    pub(super) fn passes_folded(self, value: &str, text: &str) -> bool {
        let mut chars = value.chars().flat_map(char::to_lowercase);
        match self {
            Self::Equals => chars.eq(text.chars()),
            Self::Contains => lower(value).contains(text),
            Self::StartsWith => text.chars().all(|c| chars.next() == Some(c)),
            Self::EndsWith => {
                let mut chars = value.chars().rev().flat_map(|c| c.to_lowercase().rev());
                text.chars().rev().all(|c| chars.next() == Some(c))
            }
        }
    }
}

/// Every character lower-cased by itself, unlike `str::to_lowercase`, which looks at the neighbours of a Σ.
pub(super) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::TextTest::{Contains, EndsWith, Equals, StartsWith};
    use super::*;

    #[test]
    fn text_is_compared_by_bytes() {
        assert!(
            StartsWith.passes("abc", "ab") && EndsWith.passes("abc", "bc") && Contains.passes("abc", "b")
        );
        assert!(Equals.passes("abc", "abc") && !Equals.passes("abc", "ABC") && !Contains.passes("abc", "B"));
        assert!(!Equals.passes("é", "e\u{301}")); // no normalisation
    }

    #[test]
    fn folded_text_is_lower_cased_character_by_character() {
        let folded = |test: TextTest, value, text| test.passes_folded(value, &lower(text));
        assert!(folded(Equals, "Abc", "aBC") && folded(Equals, "äpfel", "ÄPFEL"));
        // A final sigma is lower-cased like any other: σ, never ς.
        assert!(folded(Equals, "οδοσ", "ΟΔΟΣ") && !folded(Equals, "οδος", "ΟΔΟΣ"));
        // İ becomes two characters, i and a combining dot.
        assert!(
            folded(StartsWith, "İstanbul", "i")
                && folded(EndsWith, "tİ", "\u{307}")
                && folded(EndsWith, "tİ", "İ")
        );
        assert!(folded(Contains, "Hauptstrasse", "STRASSE") && !folded(Contains, "Hauptstraße", "STRASSE"));
        assert!(!folded(StartsWith, "ab", "abc") && !folded(EndsWith, "bc", "abc"));
    }
}
