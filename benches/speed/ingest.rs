//! Taking facts in, one at a time.

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput};
use whodid::{Ingest, MemoryStore};

use crate::data;

pub fn benches(c: &mut Criterion) {
    let (users, count) = data::size();
    let events: Vec<_> = data::events(users, count / 10).collect();
    let named: Vec<_> = (0u64..).zip(&events).map(|(i, event)| event.clone().id(format!("m-{i}"))).collect();
    let writes: Vec<_> = data::attributes(users).collect();
    let group = &mut c.benchmark_group("ingest");
    bench(group, "record", &events, |store, event| _ = store.record(event).expect("a good event"));
    bench(group, "record with ids", &named, |store, event| _ = store.record(event).expect("a good event"));
    bench(group, "write", &writes, |store, write| store.write(write).expect("a good write"));
}

fn bench<F: Clone>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    facts: &[F],
    take: impl Fn(&mut MemoryStore, F),
) {
    group.throughput(Throughput::Elements(facts.len() as u64));
    group.bench_function(name, |b| {
        let load = |facts: Vec<F>| {
            let mut store = MemoryStore::new();
            facts.into_iter().for_each(|fact| take(&mut store, fact));
            store
        };
        b.iter_batched(|| facts.to_vec(), load, BatchSize::LargeInput);
    });
}
