//! Set algebra over leaves: a composite, its count, one user, and a catalog whose segments share leaves.

use criterion::Criterion;
use whodid::plan::Plan;
use whodid::segment::Segment;
use whodid::{Catalog, Evaluate, attribute, days, did};

use crate::data;
use crate::leaves::leaves;

/// Enterprise users who onboarded and are fading.
pub fn fading() -> Segment {
    attribute("plan").eq("enterprise")
        & did("invite_sent")
        & !did("feature_used").last(days(30))
        & !did("login").last(days(14))
}

/// Of every pair of leaves those in the first and not in the second.
pub fn catalog() -> Catalog {
    let leaves = leaves();
    let mut catalog = Catalog::new();
    for (i, (_, first)) in leaves.iter().enumerate() {
        for (j, (_, second)) in leaves.iter().enumerate().skip(i + 1) {
            let one_alone = Segment::All(vec![first.clone(), Segment::Not(Box::new(second.clone()))]);
            catalog.insert(format!("s{i}-{j}"), one_alone).expect("a valid segment");
        }
    }
    catalog
}

pub fn benches(c: &mut Criterion) {
    let (snapshot, now) = (data::snapshot(), data::now());
    let fading = fading();
    let mut group = c.benchmark_group("algebra");
    group.bench_function("composite", |b| {
        b.iter(|| snapshot.members(&fading, now).expect("a valid segment").len())
    });
    group.bench_function("composite, count", |b| {
        b.iter(|| snapshot.count(&fading, now).expect("a valid segment"))
    });
    let plan = Plan::of(&fading).expect("a valid segment");
    group.bench_function("composite, one user", |b| {
        b.iter(|| snapshot.is_member("u0000500", &plan, now).expect("a valid segment"));
    });
    let catalog = catalog();
    group.bench_function("catalog of 210", |b| {
        b.iter(|| snapshot.evaluate(&catalog, now).expect("a valid catalog").len())
    });
    group.finish();
}
