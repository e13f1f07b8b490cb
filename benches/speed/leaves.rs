//! One question of each kind of leaf, members and all.

use criterion::Criterion;
use whodid::segment::Segment;
use whodid::{Evaluate, Tz, attribute, changed, days, did, hours, property, sample, score, seen, sequence};

use crate::data;

/// Each kind of leaf, with a name.
pub fn leaves() -> Vec<(&'static str, Segment)> {
    vec![
        ("did ever", did("purchase").into()),
        ("did in 30 days", did("login").last(days(30)).into()),
        ("times", did("feature_used").at_least(5).last(days(30)).into()),
        ("times, filtered", did("purchase").where_(property("amount").gt(100)).last(days(90)).into()),
        ("times ago", did("login").at_least(2).ago(days(60), days(30)).into()),
        ("times, any event", did("*").at_least(20).last(days(30)).into()),
        ("sum", did("purchase").sum("amount").at_least(500).last(days(90)).into()),
        ("average", did("purchase").avg("amount").at_least(50).last(days(90)).into()),
        ("distinct", did("purchase").distinct("item").at_least(3).last(days(180)).into()),
        ("active days", did("*").active_days().at_least(5).last(days(14)).into()),
        (
            "active days in a zone",
            did("login").active_days().in_zone(Tz::Europe__Berlin).at_least(3).last(days(14)).into(),
        ),
        ("same", did("purchase").same("item").at_least(2).last(days(180)).into()),
        ("around seen", did("login").within_first(days(400)).into()),
        ("sequence", sequence("add_to_cart").then("purchase").within(days(3)).last(days(60)).into()),
        ("abandoned", sequence("add_to_cart").then_not("purchase", hours(24)).last(days(30)).into()),
        ("attribute", attribute("plan").eq("enterprise").into()),
        ("attribute range", attribute("age").between(25, 40).into()),
        ("changed", changed("plan").to("pro").last(days(400)).into()),
        ("seen", seen().last(days(400)).into()),
        ("sample", sample("spring", 0..50).into()),
        (
            "score",
            score().add(10, did("invite_sent")).per(1, did("login").last(days(30))).at_least(12).into(),
        ),
    ]
}

pub fn benches(c: &mut Criterion) {
    let snapshot = data::snapshot();
    let mut group = c.benchmark_group("leaf");
    for (name, segment) in leaves() {
        group.bench_function(name, |b| {
            b.iter(|| snapshot.members(&segment, data::now()).expect("a valid segment").len());
        });
    }
    group.finish();
}
