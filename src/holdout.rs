//! A deterministic split of given users: who is held out, who is not.

use roaring::RoaringBitmap;

use crate::plan::sample::CompiledSample;
use crate::segment::{Sample, Segment, SegmentError};

/// Users in a share, and the others, as [`Sample::split`] parted them.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The users in the share.
    pub inside: RoaringBitmap,
    /// The users that are not.
    pub outside: RoaringBitmap,
}

impl Sample {
    /// Whether the user of an external id is in the share.
    ///
    /// # Errors
    /// The bounds are not `0 ≤ from ≤ to ≤ 100`, or the salt is too long.
    pub fn contains(&self, external_id: &str) -> Result<bool, SegmentError> {
        Ok(self.compiled()?.contains(external_id))
    }

    /// Parts users, each with its external id, into those in the share and the others: a holdout that every machine
    /// draws alike, before or after [`exclusive`](crate::exclusive).
    ///
    /// ```
    /// use whodid::sample;
    /// let users = [(0, "ada"), (1, "bob"), (2, "cleo"), (3, "dan")];
    /// let split = sample("spring", 0..50).split(users)?;
    /// assert_eq!(split.inside.len() + split.outside.len(), 4);
    /// assert_eq!(split.outside, sample("spring", 50..100).split(users)?.inside);
    /// # Ok::<(), whodid::segment::SegmentError>(())
    /// ```
    ///
    /// # Errors
    /// The bounds are not `0 ≤ from ≤ to ≤ 100`, or the salt is too long.
    pub fn split<I: AsRef<str>>(
        &self,
        users: impl IntoIterator<Item = (u32, I)>,
    ) -> Result<Split, SegmentError> {
        let compiled = self.compiled()?;
        let mut split = Split { inside: RoaringBitmap::new(), outside: RoaringBitmap::new() };
        for (user, external_id) in users {
            let inside = compiled.contains(external_id.as_ref());
            if inside { &mut split.inside } else { &mut split.outside }.insert(user);
        }
        Ok(split)
    }

    fn compiled(&self) -> Result<CompiledSample, SegmentError> {
        Segment::Sample(self.clone()).validate()?;
        Ok(CompiledSample::new(self))
    }
}

#[cfg(test)]
mod tests {
    use crate::sample;

    fn users() -> impl Iterator<Item = (u32, String)> {
        (0..2_000).map(|i| (i, format!("user-{i}")))
    }

    #[test]
    fn shares_partition_whoever_is_given() {
        let parts = [sample("s", 0.0..12.5), sample("s", 12.5..50.0), sample("s", 50.0..100.0)];
        let parts = parts.map(|share| share.split(users()).unwrap().inside);
        assert_eq!(parts.iter().map(|part| part.len()).sum::<u64>(), 2_000);
        assert_eq!((&parts[0] | &parts[1] | &parts[2]).len(), 2_000);
        assert!((200..300).contains(&parts[0].len()), "{}", parts[0].len());
    }

    #[test]
    fn other_salts_split_otherwise() {
        let [a, b] = ["a", "b"].map(|salt| sample(salt, 0..50).split(users()).unwrap().inside);
        let both = a.intersection_len(&b);
        assert!((400..600).contains(&both), "{both}");
    }

    #[test]
    fn a_split_asks_what_a_segment_asks() {
        let share = sample("s", 0..30);
        let split = share.split(users()).unwrap();
        for (user, id) in users() {
            assert_eq!(split.inside.contains(user), share.contains(&id).unwrap());
        }
    }

    #[test]
    fn wrong_bounds_are_named() {
        for (from, to) in [(60.0, 50.0), (-1.0, 50.0), (0.0, 100.5), (f64::NAN, 50.0), (0.0, f64::NAN)] {
            let error = sample("s", from..to).contains("ada").unwrap_err();
            assert!(error.to_string().contains("0 ≤ from ≤ to ≤ 100"), "{error}");
        }
        let nobody = sample("s", 50..50).split(users()).unwrap();
        assert!(nobody.inside.is_empty());
    }
}
