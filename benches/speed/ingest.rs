//! Taking facts in, one at a time.

use criterion::{BatchSize, Criterion, Throughput};
use whodid::{Ingest, MemoryStore};

use crate::data;

pub fn benches(c: &mut Criterion) {
    let (users, count) = data::size();
    let count = count / 10;
    let mut group = c.benchmark_group("ingest");
    group.throughput(Throughput::Elements(count as u64));
    let events: Vec<_> = data::events(users, count).collect();
    group.bench_function("record", |b| {
        b.iter_batched(
            || events.clone(),
            |events| {
                let mut store = MemoryStore::new();
                for event in events {
                    store.record(event).expect("a good event");
                }
                store
            },
            BatchSize::LargeInput,
        );
    });
    let named: Vec<_> = (0u64..).zip(&events).map(|(i, event)| event.clone().id(format!("m-{i}"))).collect();
    group.bench_function("record with ids", |b| {
        b.iter_batched(
            || named.clone(),
            |events| {
                let mut store = MemoryStore::new();
                for event in events {
                    store.record(event).expect("a good event");
                }
                store
            },
            BatchSize::LargeInput,
        );
    });
    let writes: Vec<_> = data::attributes(users).collect();
    group.throughput(Throughput::Elements(writes.len() as u64));
    group.bench_function("write", |b| {
        b.iter_batched(
            || writes.clone(),
            |writes| {
                let mut store = MemoryStore::new();
                for write in writes {
                    store.write(write).expect("a good write");
                }
                store
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}
