//! A deterministic share of all users: the bucket of an external id, compared exactly.

use md5::{Digest, Md5};

use crate::segment::Sample;
use crate::value::Number;

/// A [`Sample`] ready to ask: bounds on the hash instead of on the bucket, salt already hashed.
#[derive(Clone, Debug)]
pub(crate) struct CompiledSample {
    salted: Md5,
    /// The first hash inside.
    from: u128,
    /// The first hash no longer inside; up to 2^64.
    to: u128,
}

impl CompiledSample {
    pub(crate) fn new(sample: &Sample) -> Self {
        let salted = Md5::new().chain_update(&sample.salt).chain_update(":");
        Self { salted, from: first_hash(sample.from), to: first_hash(sample.to) }
    }

    /// Whether the user of an external id is in the share.
    pub(crate) fn contains(&self, external_id: &str) -> bool {
        let digest = self.salted.clone().chain_update(external_id).finalize();
        let hash = digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u128::from(*byte));
        self.from <= hash && hash < self.to
    }
}

/// The first hash whose bucket, 100 hash / 2^64, is at least a percentage: ⌈percentage · 2^64 / 100⌉.
fn first_hash(percentage: Number) -> u128 {
    const END: u128 = 1 << 64;
    let x = match percentage {
        Number::Int(n) => return (u128::try_from(n.clamp(0, 100)).unwrap_or(0) * END).div_ceil(100),
        Number::Float(x) if x <= 0.0 => return 0,
        Number::Float(x) if x < 100.0 => x,
        Number::Float(_) => return END,
    };
    // x = mantissa · 2^(exponent - 64), so x · 2^64 is mantissa · 2^exponent, below 2^71.
    let biased = (x.to_bits() >> 52) as i32;
    let fraction = x.to_bits() & ((1 << 52) - 1);
    let mantissa = u128::from(if biased == 0 { fraction } else { fraction | 1 << 52 });
    match biased.max(1) - 1075 + 64 {
        up @ 0.. => (mantissa << up).div_ceil(100),
        down @ -60..0 => mantissa.div_ceil(100 << -down),
        _ => 1, // above nothing, below the first hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use proptest::prelude::*;

    fn sample(salt: &str, from: Number, to: Number) -> CompiledSample {
        CompiledSample::new(&Sample { salt: salt.to_owned(), from, to })
    }

    #[test]
    fn the_bucket_is_that_of_md5() {
        // printf spring:ada | md5sum
        let hash = 0x16af_ffad_baa6_1405_u64;
        let bucket = 100.0 * (hash as f64 / 2f64.powi(64));
        let (below, above) = (Number::Float(bucket - 1e-9), Number::Float(bucket + 1e-9));
        assert!(sample("spring", below, above).contains("ada"));
        assert!(!sample("spring", above, Number::Int(100)).contains("ada"));
        assert!(!sample("spring", Number::Int(0), below).contains("ada"));
        assert!(sample("", Number::Int(0), Number::Int(100)).contains("ada"));
        assert!(!sample("", Number::Int(50), Number::Int(50)).contains("ada"));
    }

    #[test]
    fn neighbouring_shares_part_everyone() {
        let parts = [0.0, 12.5, 33.3, 33.4, 99.99, 100.0].map(Number::Float);
        for id in 0..500 {
            let id = format!("user-{id}");
            let inside = parts.windows(2).filter(|p| sample("s", p[0], p[1]).contains(&id)).count();
            assert_eq!(inside, 1, "{id}");
        }
    }

    proptest! {
        #[test]
        fn the_first_hash_is_exact(x in prop_oneof![
            0.0..=100.0_f64,
            prop::num::f64::POSITIVE.prop_map(|x| x % 100.0),
            (0_u32..=100).prop_map(f64::from),
            Just(5e-324),
            Just(100_f64.next_down()),
        ]) {
            let first = BigInt::from(first_hash(Number::Float(x)));
            // The bucket of a hash is at least x exactly from this hash on.
            let bucket = |hash: BigInt| BigRational::new(hash * 100, BigInt::from(1) << 64);
            let x = BigRational::from_float(x).unwrap();
            prop_assert!(bucket(first.clone()) >= x);
            prop_assert!(bucket(first - 1) < x);
        }

        #[test]
        fn integers_are_floats_of_the_same_value(n in 0_i64..=100) {
            prop_assert_eq!(first_hash(Number::Int(n)), first_hash(Number::Float(n as f64)));
        }
    }
}
