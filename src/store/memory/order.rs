//! The rows of a tail in the order of parts, without comparing them: by counting digits.

use super::part::bucket_of;

/// Where a row of the tail is, and what it is sorted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub name: u32,
    pub user: u32,
    pub at: i64,
    pub chunk: u32,
    pub row: u32,
}

/// Bits of a digit at the most: as many counters stay near the processor.
const DIGIT: u32 = 11;

/// Sorts places by name, bucket and user; those of one user in a bucket stay as they are.
pub(super) fn sort(places: &mut Vec<Place>) {
    let buckets = || places.iter().map(|place| bucket_of(place.at));
    let (first, last) = (buckets().min().unwrap_or(0), buckets().max().unwrap_or(0));
    let mut spare = places.clone();
    sort_by(places, &mut spare, |place| place.user);
    if first < last {
        sort_by(places, &mut spare, |place| bucket_of(place.at).abs_diff(first));
    }
    sort_by(places, &mut spare, |place| place.name);
}

/// Sorts by a number, digit by digit from the lowest, without changing the order of equal ones.
fn sort_by(places: &mut Vec<Place>, spare: &mut Vec<Place>, number: impl Fn(&Place) -> u32) {
    let bits = u32::BITS - places.iter().map(&number).max().unwrap_or(0).leading_zeros();
    let digits = bits.div_ceil(DIGIT);
    // digits of like size
    let width = bits.checked_div(digits).map_or(0, |_| bits.div_ceil(digits));
    for digit in 0..digits {
        let of = |place: &Place| (number(place) >> (digit * width)) as usize & ((1 << width) - 1);
        let mut next = vec![0_usize; 1 << width];
        places.iter().for_each(|place| next[of(place)] += 1);
        let mut before = 0;
        for place in &mut next {
            before += std::mem::replace(place, before);
        }
        for place in places.iter() {
            let to = &mut next[of(place)];
            spare[*to] = *place;
            *to += 1;
        }
        std::mem::swap(places, spare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_comparing_does() {
        for users in [1_u32, 7, 3_000, 1 << 22, u32::MAX] {
            let place = |i: u32| {
                let random = i.wrapping_mul(2_654_435_761);
                let at = ((i64::from(random % 5) - 2) << 31) + i64::from(i);
                Place { name: random % 3, user: (random ^ i << 7) % users, at, chunk: i / 512, row: i % 512 }
            };
            let mut places: Vec<Place> = (0..2_000).map(place).collect();
            let key = |place: &Place| (place.name, bucket_of(place.at), place.user);
            let mut wanted = places.clone();
            wanted.sort_by_key(key);
            sort(&mut places);
            let all = |places: &[Place]| places.iter().map(|p| (key(p), p.chunk, p.row)).collect::<Vec<_>>();
            assert_eq!(all(&places), all(&wanted));
        }
    }
}
