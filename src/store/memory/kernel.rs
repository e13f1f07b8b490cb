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

#[inline(always)]
fn differs_from_simd<S: Simd>(simd: S, entries: &[u16], ahead: usize, words: &mut [u64]) {
    let lanes = S::u16s::LEN;
    for (i, word) in words.iter_mut().enumerate() {
        let start = i * 64;
        let (Some(here), Some(there)) =
            (entries.get(start..start + 64), entries.get(start + ahead..start + ahead + 64))
        else {
            return;
        };
        let (mut same, mut at) = (0, 0);
        while at < 64 {
            let equal = S::u16s::from_slice(simd, &here[at..at + lanes])
                .simd_eq(S::u16s::from_slice(simd, &there[at..at + lanes]));
            same |= equal.to_bitmask() << at;
            at += lanes;
        }
        *word = !same;
    }
}

/// Appends the bits of the entries that are not the same as the entry so many places ahead, or have none there: of
/// sorted entries the last so many of each.
pub(super) fn differs_from(entries: &[u16], ahead: usize, words: &mut Vec<u64>) {
    let start = words.len();
    let whole = entries.len().saturating_sub(ahead) / 64;
    words.resize(start + whole, 0);
    dispatch!(level(), simd => differs_from_simd(simd, entries, ahead, &mut words[start..]));
    for (i, rest) in (whole * 64..).step_by(64).zip(entries[whole * 64..].chunks(64)) {
        let differs = (i..).zip(rest).map(|(i, entry)| entries.get(i + ahead) != Some(entry));
        let bits = differs.enumerate().map(|(bit, differs)| u64::from(differs) << bit);
        words.push(bits.fold(0, |word, bit| word | bit));
    }
}

/// Clears the bits of the last word beyond so many.
pub(super) fn end_with(words: &mut [u64], bits: usize) {
    if let (Some(last), rest @ 1..) = (words.last_mut(), bits % 64) {
        *last &= (1 << rest) - 1;
    }
}

#[inline(always)]
fn floats_between_simd<S: Simd>(simd: S, chunks: &[[f64; 64]], lo: f64, hi: f64, words: &mut [u64]) {
    let (low, high, lanes) = (S::f64s::splat(simd, lo), S::f64s::splat(simd, hi), S::f64s::LEN);
    for (word, chunk) in words.iter_mut().zip(chunks) {
        let (mut bits, mut at) = (0, 0);
        while at < 64 {
            let floats = S::f64s::from_slice(simd, &chunk[at..at + lanes]);
            bits |= (floats.simd_ge(low) & floats.simd_le(high)).to_bitmask() << at;
            at += lanes;
        }
        *word = bits;
    }
}

/// Sets each word to the bits of 64 floats in `[lo, hi]`; floats that fill no word are left alone.
pub(super) fn floats_between(floats: &[f64], lo: f64, hi: f64, words: &mut [u64]) {
    let (chunks, _) = floats.as_chunks::<64>();
    dispatch!(level(), simd => floats_between_simd(simd, chunks, lo, hi, words));
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
    /// Changes the bits that the other has.
    xor, xor_simd, |a, b| *a ^ b
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

/// Words that are counted side by side.
const SIDE: usize = 8;
/// Planes of a counter for each of 64 bits: plane p has the bit 2^p of every count.
type Planes = [[u64; SIDE]; 7];

#[inline(always)]
fn counts_within_simd<S: Simd>(_: S, sets: &[&[u64]], low: u8, high: u8, into: &mut [u64]) {
    let used = (usize::BITS - sets.len().leading_zeros()).min(7) as usize;
    for (start, into) in (0..).step_by(SIDE).zip(into.chunks_mut(SIDE)) {
        let mut planes: Planes = [[0; SIDE]; 7];
        for set in sets {
            let here = set.get(start..).unwrap_or_default();
            let words = here.first_chunk::<SIDE>().copied().unwrap_or_else(|| {
                let mut words = [0; SIDE];
                words[..here.len()].copy_from_slice(here);
                words
            });
            add_to(&mut planes, used, words);
        }
        let (least, more) = (at_least(&planes, low), at_least(&planes, high + 1));
        for (lane, into) in into.iter_mut().enumerate() {
            *into = least[lane] & !more[lane];
        }
    }
}

/// Counts one more where a bit is set; no count needs more than the used planes.
#[inline(always)]
fn add_to(planes: &mut Planes, used: usize, mut carry: [u64; SIDE]) {
    for plane in planes.iter_mut().take(used) {
        for lane in 0..SIDE {
            let both = plane[lane] & carry[lane];
            plane[lane] ^= carry[lane];
            carry[lane] = both;
        }
    }
}

/// The bits whose count is at least a number below 128.
#[inline(always)]
fn at_least(planes: &Planes, least: u8) -> [u64; SIDE] {
    // from the highest plane: already greater, or equal so far
    let (mut greater, mut equal, mut p) = ([0; SIDE], [!0; SIDE], 7);
    while p > 0 {
        p -= 1;
        for lane in 0..SIDE {
            if least >> p & 1 == 1 {
                equal[lane] &= planes[p][lane];
            } else {
                greater[lane] |= equal[lane] & planes[p][lane];
                equal[lane] &= !planes[p][lane];
            }
        }
    }
    for lane in 0..SIDE {
        greater[lane] |= equal[lane];
    }
    greater
}

/// The bits that are set in at least `low` and at most `high` of up to 64 sets (`high` below 127), by counters of
/// which each word holds one bit of 64.
pub(super) fn counts_within(sets: &[&[u64]], low: u8, high: u8, into: &mut [u64]) {
    dispatch!(level(), simd => counts_within_simd(simd, sets, low, high, into));
}

#[inline(always)]
fn positions_simd<S: Simd>(_: S, words: &[u64], out: &mut [u16]) -> usize {
    let mut found = 0;
    let mut base = 0u16;
    for &word in words {
        let count = word.count_ones() as usize;
        let Some(places) = out.get_mut(found..found + 64) else { break };
        let mut rest = word;
        // four in any case, so that there is little to predict; what is too many is written over
        for place in &mut places[..4] {
            *place = base.wrapping_add(rest.trailing_zeros() as u16);
            rest &= rest.wrapping_sub(1);
        }
        if count > 4 {
            for place in &mut places[4..count] {
                *place = base.wrapping_add(rest.trailing_zeros() as u16);
                rest &= rest.wrapping_sub(1);
            }
        }
        found += count;
        base = base.wrapping_add(64);
    }
    found
}

/// Writes the positions of the set bits of up to 1024 words, in order, and tells how many there are. Needs room for
/// 64 more than that.
pub(super) fn positions(words: &[u64], out: &mut [u16]) -> usize {
    dispatch!(level(), simd => positions_simd(simd, words, out))
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
    fn counts_are_those_of_the_bits() {
        let sets: Vec<Vec<u64>> = (0..64u64).map(|i| vec![0u64.wrapping_sub(1) << i, i]).collect();
        let sets: Vec<&[u64]> = sets.iter().map(Vec::as_slice).collect();
        for (low, high) in [(0, 126), (1, 5), (3, 3), (64, 64), (5, 126), (0, 0)] {
            let mut got = [0u64; 2];
            counts_within(&sets, low, high, &mut got);
            for bit in 0..128 {
                let count = sets.iter().filter(|set| set[bit / 64] >> (bit % 64) & 1 == 1).count();
                let want = (usize::from(low)..=usize::from(high)).contains(&count);
                assert_eq!(got[bit / 64] >> (bit % 64) & 1 == 1, want, "{bit} {count} {low} {high}");
            }
        }
    }

    #[test]
    fn floats_compare_like_the_obvious_loop() {
        let floats: Vec<f64> = (0..128i32).map(|i| f64::from(i - 60) / 4.0).collect();
        let mut words = [0; 2];
        floats_between(&floats, -0.25, 3.5, &mut words);
        for (i, x) in floats.iter().enumerate() {
            assert_eq!(words[i / 64] >> (i % 64) & 1 == 1, (-0.25..=3.5).contains(x));
        }
    }

    #[test]
    fn the_last_of_each_run_are_found() {
        let entries: Vec<u16> = (0..700u16).flat_map(|i| vec![i; usize::from(i * 7 % 5)]).collect();
        for ahead in [1, 2, 3, 64] {
            let mut words = Vec::new();
            differs_from(&entries, ahead, &mut words);
            for (i, entry) in entries.iter().enumerate() {
                let want = entries.get(i + ahead) != Some(entry);
                assert_eq!(words[i / 64] >> (i % 64) & 1 == 1, want, "{i} {ahead}");
            }
            assert_eq!(words.len(), entries.len().div_ceil(64));
        }
    }

    #[test]
    fn positions_are_those_of_the_bits() {
        let words: Vec<u64> =
            (0..1024u64).map(|i| if i % 3 == 0 { !0 << (i % 64) } else { 1 << (i % 64) }).collect();
        let (mut out, mut want) = (vec![0; 1 << 16], Vec::new());
        for_each_bit(&words, |i| want.push(u16::try_from(i).unwrap()));
        let found = positions(&words, &mut out);
        assert_eq!(out[..found], want);
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
