//! Campaign priority over bitmaps, and a deterministic split.

use criterion::Criterion;
use roaring::RoaringBitmap;
use whodid::exclusive;

use crate::data::{self, Random};

pub fn benches(c: &mut Criterion) {
    let (users, _) = data::size();
    let mut random = Random::new(3);
    let audience = |share: u64| (0..users).filter(|_| random.below(100) < share).collect::<RoaringBitmap>();
    let audiences: Vec<(String, RoaringBitmap)> = [40, 25, 10, 60, 5, 30, 15, 50, 2, 20]
        .map(audience)
        .into_iter()
        .enumerate()
        .map(|(i, set)| (format!("c{i}"), set))
        .collect();
    let mut group = c.benchmark_group("exclusion");
    for per_user in [1, 3] {
        group.bench_function(format!("10 campaigns, {per_user} a user"), |b| {
            b.iter(|| exclusive(audiences.iter().map(|(name, set)| (name.as_str(), set)), per_user));
        });
    }
    group.finish();
}
