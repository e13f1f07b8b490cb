//! Making plans: of one segment, of a catalog.

use criterion::Criterion;
use whodid::plan::Plan;

use crate::algebra::{catalog, fading};

pub fn benches(c: &mut Criterion) {
    let (fading, catalog) = (fading(), catalog());
    let mut group = c.benchmark_group("plan");
    group.bench_function("composite", |b| b.iter(|| Plan::of(&fading).expect("a valid segment")));
    group.bench_function("catalog of 210", |b| b.iter(|| catalog.plan().expect("a valid catalog")));
    group.finish();
}
