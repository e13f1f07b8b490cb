//! Loops over whole columns, compiled for the widest vectors the processor has (chosen at run time, safe code).
//!
//! Every function appends or combines `u64` words, bit `i % 64` of word `i / 64` standing for entry `i`.

use fearless_simd::{Level, dispatch, prelude::*};
use std::sync::OnceLock;

fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(Level::new)
}

/// An unsigned column entry.
pub(super) trait Entry: Copy + Ord {
    /// The bits of 64 entries that lie in `[lo, hi]`.
    fn word<S: Simd>(simd: S, entries: &[Self; 64], lo: Self, hi: Self) -> u64;
}

// Closures given to iterator adapters would be compiled without the wide vectors: these are plain loops.
macro_rules! entry {
    ($entry:ty, $vector:ident) => {
        impl Entry for $entry {
            #[inline(always)]
            fn word<S: Simd>(simd: S, entries: &[Self; 64], lo: Self, hi: Self) -> u64 {
                // one unsigned comparison for both ends: v - lo ≤ hi - lo
                let (low, width) =
                    (S::$vector::splat(simd, lo), S::$vector::splat(simd, hi.wrapping_sub(lo)));
                let (lanes, mut word, mut at) = (S::$vector::LEN, 0, 0);
                while at < 64 {
                    let inside =
                        (S::$vector::from_slice(simd, &entries[at..at + lanes]) - low).simd_le(width);
                    word |= inside.to_bitmask() << at;
                    at += lanes;
                }
                word
            }
        }
    };
}

entry!(u8, u8s);
entry!(u16, u16s);
entry!(u32, u32s);

#[inline(always)]
fn between_simd<S: Simd, E: Entry>(simd: S, chunks: &[[E; 64]], lo: E, hi: E, words: &mut [u64]) {
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = E::word(simd, chunk, lo, hi);
    }
}

/// Appends the bits of the entries in `[lo, hi]`.
pub(super) fn between<E: Entry>(entries: &[E], lo: E, hi: E, words: &mut Vec<u64>) {
    let (chunks, rest) = entries.as_chunks::<64>();
    let start = words.len();
    words.resize(start + chunks.len(), 0);
    dispatch!(level(), simd => between_simd(simd, chunks, lo, hi, &mut words[start..]));
    if !rest.is_empty() {
        let bits = rest.iter().enumerate().map(|(i, &e)| u64::from(lo <= e && e <= hi) << i);
        words.push(bits.fold(0, |word, bit| word | bit));
    }
}

macro_rules! word_operation {
    ($(#[$doc:meta])* $name:ident, $simd_name:ident, |$a:ident, $b:ident| $result:expr) => {
        #[inline(always)]
        fn $simd_name<S: Simd>(_: S, into: &mut [u64], with: &[u64]) {
            for ($a, &$b) in into.iter_mut().zip(with) {
                *$a = $result;
            }
        }

        $(#[$doc])*
        pub(super) fn $name(into: &mut [u64], with: &[u64]) {
            dispatch!(level(), simd => $simd_name(simd, into, with));
        }
    };
}

word_operation!(
    /// Keeps the bits that are in both; words beyond the shorter stay.
    and, and_simd, |a, b| *a & b
);
word_operation!(
    /// Adds the bits of the other.
    or, or_simd, |a, b| *a | b
);
word_operation!(
    /// Takes away the bits of the other.
    and_not, and_not_simd, |a, b| *a & !b
);

#[inline(always)]
fn count_simd<S: Simd>(_: S, words: &[u64]) -> u64 {
    let mut count = 0;
    for word in words {
        count += u64::from(word.count_ones());
    }
    count
}

#[inline(always)]
fn count_each_simd<S: Simd>(_: S, words: &[u64], counts: &mut [u8]) {
    for (count, word) in counts.iter_mut().zip(words) {
        #[allow(clippy::cast_possible_truncation)] // at most 64
        let ones = word.count_ones() as u8;
        *count = ones;
    }
}

/// How many bits are set in each word.
pub(super) fn count_each(words: &[u64], counts: &mut [u8]) {
    dispatch!(level(), simd => count_each_simd(simd, words, counts));
}

/// How many bits are set.
pub(super) fn count(words: &[u64]) -> u64 {
    dispatch!(level(), simd => count_simd(simd, words))
}

/// Visits the set bits in order.
#[inline(always)]
pub(super) fn for_each_bit(words: &[u64], mut visit: impl FnMut(usize)) {
    for (i, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            visit(i * 64 + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_like_the_obvious_loop() {
        let entries: Vec<u16> = (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 16) as u16).collect();
        for (lo, hi) in [(0, 0), (0, u16::MAX), (1000, 40_000), (40_000, u16::MAX), (7, 7)] {
            let mut words = vec![5];
            between(&entries, lo, hi, &mut words);
            let mut got = vec![];
            for_each_bit(&words[1..], |i| got.push(i));
            let want: Vec<usize> = (0..1000).filter(|&i| (lo..=hi).contains(&entries[i])).collect();
            assert_eq!(got, want);
            assert_eq!(count(&words[1..]), want.len() as u64);
        }
        let bytes: Vec<u8> = (0..130).collect();
        let mut words = Vec::new();
        between(&bytes, 100, 200, &mut words);
        assert_eq!(words, [0, !0 << 36, 3]);
    }

    #[test]
    fn words_combine() {
        let mut a = [0b1100, 1];
        and(&mut a, &[0b0110, 1]);
        or(&mut a, &[0b0001, 0]);
        and_not(&mut a, &[0b0000, 1]);
        assert_eq!(a, [0b0101, 0]);
    }
}
