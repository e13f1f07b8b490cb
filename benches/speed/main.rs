//! Criterion benches at 100 000 users and 2 million events; `cargo bench --bench speed -- --test` only tests that they run.
//!
//! The comparison with other engines, on more data, is `bench/run.py`.

#![allow(clippy::expect_used)] // a bench that cannot ask its question should stop

mod algebra;
mod data;
mod exclusion;
mod ingest;
mod leaves;
mod plan;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots()
}

criterion_group! {
    name = benches;
    config = quick();
    targets = ingest::benches, leaves::benches, algebra::benches, plan::benches, exclusion::benches
}
criterion_main!(benches);
