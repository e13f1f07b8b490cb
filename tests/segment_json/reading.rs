//! Reading a text in every way there is.

use std::hash::{DefaultHasher, Hash, Hasher};

use whodid::segment::{Segment, SegmentError};

pub fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The error of a text that no reader takes.
pub fn error(text: &str) -> SegmentError {
    assert!(serde_json::from_str::<Segment>(text).is_err(), "serde reads {text}");
    match Segment::from_json(text) {
        Ok(_) => panic!("it reads: {text}"),
        Err(error) => error,
    }
}

/// Reads, and checks that what is written reads back as the same.
pub fn read(text: &str) -> Segment {
    let segment = Segment::from_json(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(segment.validate(), Ok(()), "{text}");
    let back = Segment::from_json(&segment.to_json()).unwrap();
    assert_eq!(back, segment, "{text}");
    assert_eq!(hash(&back), hash(&segment), "{text}");
    let by_serde = Segment::from_json(&serde_json::to_string(&segment).unwrap());
    assert_eq!(by_serde.as_ref(), Ok(&segment));
    // it refuses to nest deeper than 128
    match serde_json::from_str::<Segment>(text) {
        Ok(through_serde) => assert_eq!(through_serde, segment),
        Err(error) => assert!(error.to_string().contains("recursion limit"), "{error}: {text}"),
    }
    segment
}
