//! Settling campaigns: 100 campaigns over 100 000 users, each with every third user on average.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use roaring::RoaringBitmap;
use whodid::exclusive;

const USERS: u32 = 100_000;

fn campaigns() -> Vec<(String, RoaringBitmap)> {
    let scattered = |user: u32, campaign: u32| {
        let mixed = (u64::from(user) << 32 | u64::from(campaign)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
    };
    let audience =
        |campaign| (0..USERS).filter(|user| scattered(*user, campaign).is_multiple_of(3)).collect();
    (0..100).map(|campaign| (format!("campaign-{campaign}"), audience(campaign))).collect()
}

fn bench(criterion: &mut Criterion) {
    let campaigns = campaigns();
    let borrowed = || campaigns.iter().map(|(name, set)| (name.as_str(), set));
    for per_user in [1, 3, 10] {
        criterion.bench_function(&format!("exclusive/100 campaigns, cap {per_user}"), |bencher| {
            bencher.iter(|| exclusive(black_box(borrowed()), per_user));
        });
    }
    let settled = exclusive(borrowed(), 3);
    criterion.bench_function("exclusive/who lost to whom, 4950 pairs", |bencher| {
        bencher.iter(|| {
            let settled = settled.as_ref().map(|settled| {
                let lost =
                    settled.campaigns().iter().map(|campaign| settled.lost_to(campaign.name()).count());
                lost.sum::<usize>()
            });
            black_box(settled.ok())
        });
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
