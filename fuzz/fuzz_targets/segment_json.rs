//! Whatever reads as a segment is valid, reads back equal from what it writes, and can be described.

#![no_main]

use libfuzzer_sys::fuzz_target;
use whodid::segment::Segment;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let segment = match Segment::from_json(text) {
        Ok(segment) => segment,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(segment.validate(), Ok(()));
    let written = segment.to_json();
    let back = Segment::from_json(&written).expect("what is written reads");
    assert_eq!(back, segment);
    assert_eq!(back.to_json(), written);
    assert!(!segment.to_string().is_empty());
});
