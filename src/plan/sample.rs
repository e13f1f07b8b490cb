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
