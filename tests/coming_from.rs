//! Each row of `docs/coming-from.md`, compiled as it stands there and held against facts.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot be set up fails

use std::collections::BTreeSet;

use whodid::oracle::{Named, Oracle};
use whodid::segment::Segment;
use whodid::*;

/// 2026-06-15 is a Monday.
const T: &str = "2026-06-15T12:00:00Z";

/// Code without its blanks.
fn squeezed(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The code of each row of the page's tables.
fn rows() -> Vec<String> {
    let page = include_str!("../docs/coming-from.md");
    let cells = page.lines().filter(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(2));
    let code = cells.filter_map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`'));
    code.map(squeezed).collect()
}

/// Facts separated by semicolons: `ada login 06-01`, `ada login*3 06-01`, `ada purchase 06-01T10:00 amount=12`, and
/// with a dot an attribute, `ada .plan 06-01 "pro"`. Instants are of 2026 and UTC; `i:…` in a value is one too. An
/// underscore in the name of an event is a blank.
fn told(facts: &str) -> Vec<Fact> {
    facts.split(';').map(str::trim).filter(|fact| !fact.is_empty()).flat_map(fact).collect()
}

fn fact(text: &str) -> Vec<Fact> {
    let mut words = text.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (user, name, at, rest) = (word(), word(), instant(word()), word());
    match (name.strip_prefix('.'), rest) {
        (Some(attribute), "null") => vec![Fact::Attribute(AttributeWrite::removed(user, attribute, at))],
        (Some(attribute), _) => vec![Fact::Attribute(AttributeWrite::set(user, attribute, value(rest), at))],
        (None, _) => {
            let (name, times) = name.split_once('*').unwrap_or((name, "1"));
            let properties = rest.split_whitespace().map(|pair| pair.split_once('=').unwrap());
            let event = Event::new(user, name.replace('_', " "), at);
            let event = properties.fold(event, |event, (key, text)| event.with(key, value(text)));
            vec![Fact::Event(event); times.parse().unwrap()]
        }
    }
}

fn instant(text: &str) -> Timestamp {
    let (day, time) = text.split_once('T').unwrap_or((text, "00:00"));
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("2026-{day}T{time}{seconds}Z").parse().unwrap()
}

fn value(text: &str) -> Value {
    use serde_json::Value::{Array, Object};
    if let Some(at) = text.strip_prefix("i:") {
        return instant(at).into();
    }
    match serde_json::from_str(text).unwrap() {
        Array(items) if items.iter().all(|item| item.is_object()) => {
            let fields = items.into_iter().map(|item| match item {
                Object(fields) => fields,
                _ => unreachable!(),
            });
            let with = |record: Record, (name, field): (String, _)| record.with(name, scalar(&field));
            Value::Records(fields.map(|fields| fields.into_iter().fold(Record::new(), with)).collect())
        }
        Array(items) => Value::List(items.iter().map(scalar).collect()),
        one => scalar(&one).into(),
    }
}

fn scalar(json: &serde_json::Value) -> Scalar {
    match json {
        serde_json::Value::Bool(b) => (*b).into(),
        serde_json::Value::String(text) => text.as_str().into(),
        number => number.as_i64().map_or_else(|| number.as_f64().unwrap().into(), Scalar::from),
    }
}

/// Who is a member at [`T`], as the store and the oracle both say.
fn who(segment: &Segment, facts: &str) -> String {
    let segments = [
        ("trialing", Segment::from(attribute("plan").eq("trial"))),
        ("power_users", did("login").at_least(2).into()),
    ];
    let lists = [("newsletter", ["ada"]), ("suppressed", ["bob"]), ("partners", ["ada"])];
    let (mut catalog, mut named) = (Catalog::new(), Named::default());
    for (name, segment) in segments {
        catalog.insert(name, segment.clone()).unwrap();
        named.segments.insert(name.into(), segment);
    }
    for (name, ids) in lists {
        catalog.insert_list(name, ids).unwrap();
        named.lists.insert(name.into(), ids.map(str::to_owned).into());
    }
    let (mut store, mut oracle) = (MemoryStore::new(), Oracle::new());
    for fact in told(facts) {
        match fact.clone() {
            Fact::Event(event) => _ = oracle.record(event).unwrap(),
            Fact::Attribute(write) => oracle.write(write).unwrap(),
            other => panic!("{other:?} is not told here"),
        }
        store.take(fact).unwrap();
    }
    let at: Timestamp = T.parse().unwrap();
    let plan = catalog.plan_of(segment).unwrap();
    let members: BTreeSet<String> = store.snapshot().members(&plan, at).unwrap().ids().collect();
    assert_eq!(members, oracle.members(segment, &named, at).unwrap(), "{segment}");
    members.into_iter().collect::<Vec<_>>().join(" ")
}

/// Each condition as the page writes it, facts, and who is a member at [`T`].
macro_rules! hold {
    ($($segment:expr, $facts:literal => $members:literal;)*) => {
        vec![$((stringify!($segment), Segment::from($segment), $facts, $members)),*]
    };
}

fn held() -> Vec<(&'static str, Segment, &'static str, &'static str)> {
    let mut all = braze();
    for tool in [klaviyo, customer_io, amplitude, mixpanel, twilio_segment, posthog, hubspot] {
        all.extend(tool());
    }
    all
}

type Held = Vec<(&'static str, Segment, &'static str, &'static str)>;

#[test]
fn every_row_is_held_against_facts() {
    let (rows, held) = (rows(), held());
    assert!(rows.len() > 50, "{} rows read", rows.len());
    let checked: Vec<String> = held.iter().map(|(code, ..)| squeezed(code)).collect();
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(Some(row), checked.get(i), "row {i} of the page and of this file");
    }
    assert_eq!(rows.len(), checked.len());
}

#[test]
fn every_row_means_what_it_says() {
    for (code, segment, facts, members) in held() {
        assert_eq!(Segment::from_json(&segment.to_json()), Ok(segment.clone()), "{code}");
        assert_eq!(who(&segment, facts), members, "{code}\n{facts}");
    }
}

fn braze() -> Held {
    hold! {
        did("purchase").more_than(2).units(Unit::Day, 3, 0),
            "ada purchase 06-12; ada purchase 06-13; ada purchase 06-14;
             bob purchase 06-11T23:59; bob purchase 06-13; bob purchase 06-14" => "ada";
        did("purchase").first_in_last(days(30)),
            "ada purchase 05-16T12:01; bob purchase 05-16T12:00; bob purchase 06-01" => "ada";
        did("login").latest().before(days(14)),
            "ada login 06-01T12:00; bob login 06-01T12:01; cleo purchase 06-01" => "ada";
        did("purchase").where_(property("amount").gt(100)).last(days(30)),
            "ada purchase 06-01 amount=100.5; bob purchase 06-01 amount=100; cleo purchase 06-01 amount=\"200\"" => "ada";
        did("order").where_(property("products").any_element(property("category").eq("shoes") & property("price").gt(50))),
            "ada order 06-01 products=[{\"category\":\"shoes\",\"price\":60}];
             bob order 06-01 products=[{\"category\":\"shoes\",\"price\":40},{\"category\":\"hats\",\"price\":60}]" => "ada";
        attribute("topics").eq("rust"),
            "ada .topics 06-01 [\"go\",\"rust\"]; bob .topics 06-01 [\"rusty\"]" => "ada";
        attribute("born").anniversary(days(7)),
            "ada .born 01-01 i:06-22T23:59; bob .born 01-01 i:06-23; cleo .born 01-01 i:06-15" => "ada cleo";
        sample("spring", 0..50),
            "ada login 06-01; bob login 06-01; cleo login 06-01; dan login 06-01; eve login 06-01" => "ada bob";
    }
}

fn klaviyo() -> Held {
    hold! {
        did("Placed Order").last(days(30)),
            "ada Placed_Order 05-16T12:01; bob Placed_Order 05-16T12:00" => "ada";
        did("Placed Order").exactly(0),
            "ada login 06-01; bob Placed_Order 01-01" => "ada";
        did("Placed Order").ago(days(60), days(30)),
            "ada Placed_Order 05-16T12:00; bob Placed_Order 04-16T12:00; cleo Placed_Order 05-16T12:01" => "ada";
        did("Placed Order").where_(property("Items").contains("Shoe").ignore_case()),
            "ada Placed_Order 06-01 Items=[\"red-shoes\",\"hat\"]; bob Placed_Order 06-01 Items=[\"hat\"]" => "ada";
        did("Placed Order").sum("value").at_least(500).last(days(365)),
            "ada Placed_Order 06-01 value=600; ada Placed_Order 06-02 value=-50.5;
             bob Placed_Order 06-01 value=600; bob Placed_Order 06-02 value=-100.5" => "ada";
        attribute("trial_ends_at").next(days(3)),
            "ada .trial_ends_at 06-01 i:06-18T12:00; bob .trial_ends_at 06-01 i:06-18T12:01;
             cleo .trial_ends_at 06-01 \"2026-06-16\"; dan .trial_ends_at 06-01 i:06-15T12:00" => "ada";
        list("newsletter") & !list("suppressed"),
            "ada login 06-01; bob login 06-01" => "ada";
    }
}

fn customer_io() -> Held {
    hold! {
        did("purchase").at_least(3).last(days(30)),
            "ada purchase 06-01; ada purchase 06-02; ada purchase 06-03;
             bob purchase 05-01; bob purchase 06-02; bob purchase 06-03" => "ada";
        did("purchase").absent_for(days(7)),
            "ada login 06-08T12:00; bob login 06-08T12:01; cleo login 01-01; cleo purchase 06-09" => "ada";
        did("purchase").not_in_last(days(7)),
            "ada login 06-08T12:00; bob login 06-08T12:01; cleo login 01-01; cleo purchase 06-09" => "ada bob";
        attribute("plan").missing(),
            "ada login 06-01; bob .plan 06-01 \"pro\"; cleo .plan 06-01 \"pro\"; cleo .plan 06-02 null" => "ada cleo";
        attribute("last_visit").before(days(30)),
            "ada .last_visit 06-01 i:05-16T12:00; bob .last_visit 06-01 i:05-16T12:01; cleo login 01-01" => "ada";
        did("purchase").where_(property("total").gt(100)),
            "ada purchase 06-01 total=101; bob purchase 06-01 total=100" => "ada";
        segment("trialing") & !segment("power_users"),
            "ada .plan 06-01 \"trial\"; bob .plan 06-01 \"trial\"; bob login 06-01; bob login 06-02" => "ada";
    }
}

fn amplitude() -> Held {
    hold! {
        did("Play Song").at_least(10).last(days(30)),
            "ada Play_Song*10 06-01; bob Play_Song*9 06-01" => "ada";
        did("*").last(days(30)) & !did("Favorite Song").last(days(30)),
            "ada login 06-01; bob login 06-01; bob Favorite_Song 06-01; cleo login 01-01" => "ada";
        seen().last(days(7)),
            "ada login 06-09; bob login 06-09; bob login 01-01" => "ada";
        did("Play Song").sum("minutes").at_least(60).last(days(30)),
            "ada Play_Song 06-01 minutes=59.5; ada Play_Song 06-02 minutes=0.5; bob Play_Song 06-01 minutes=59" => "ada";
        did("Play Song").distinct("artist").at_least(3),
            "ada Play_Song 06-01 artist=1; ada Play_Song 06-01 artist=2; ada Play_Song 06-01 artist=3;
             bob Play_Song 06-01 artist=1; bob Play_Song 06-01 artist=1.0; bob Play_Song 06-01 artist=2" => "ada";
        score().per(1, did("Play Song").last(days(30))).per(-1, did("Skip Song").last(days(30))).more_than(0),
            "ada Play_Song*3 06-01; ada Skip_Song*2 06-01; bob Play_Song 06-01; bob Skip_Song 06-01" => "ada";
        attribute("plan").eq("free").held_for(days(30)),
            "ada .plan 05-16T12:00 \"free\"; bob .plan 05-16T12:01 \"free\";
             cleo .plan 01-01 \"free\"; cleo .plan 06-01 \"pro\"; cleo .plan 06-02 \"free\"" => "ada";
        sequence("view").then("cart").then("buy").all_within(days(1)),
            "ada view 06-01; ada cart 06-01T12:00; ada buy 06-02;
             bob view 06-01; bob cart 06-01T12:00; bob buy 06-02T00:01" => "ada";
    }
}

fn mixpanel() -> Held {
    hold! {
        did("Watch Video").more_than(10).last(days(7)),
            "ada Watch_Video*11 06-10; bob Watch_Video*10 06-10" => "ada";
        did("Watch Video").first_in_last(days(30)),
            "ada Watch_Video 06-01; bob Watch_Video 01-01; bob Watch_Video 06-01" => "ada";
        did("Watch Video").avg("minutes").more_than(15).last(days(30)),
            "ada Watch_Video 06-01 minutes=20; ada Watch_Video 06-02 minutes=10.5;
             bob Watch_Video 06-01 minutes=15; cleo Watch_Video 06-01" => "ada";
        did("Watch Video").active_days().in_zone(Tz::America__New_York).at_least(3).last(days(30)),
            "ada Watch_Video 06-01T03:00; ada Watch_Video 06-01T05:00; ada Watch_Video 06-02T05:00;
             bob Watch_Video 06-01T05:00; bob Watch_Video 06-02T03:00; bob Watch_Video 06-02T05:00" => "ada";
        did("purchase").active_weeks().at_least(4).last(months(3)),
            "ada purchase 06-08; ada purchase 06-01; ada purchase 05-31; ada purchase 05-24;
             bob purchase 06-08; bob purchase 06-01; bob purchase 05-31; bob purchase 05-25" => "ada";
        sequence("A").then("B").then("C").all_within(hours(1)),
            "ada A 06-01T13:00; ada A 06-01T13:30; ada B 06-01T13:45; ada C 06-01T14:15;
             bob A 06-01T13:00; bob B 06-01T13:45; bob C 06-01T14:15" => "ada";
        sequence("A").then("B").without("X"),
            "ada X 06-01; ada A 06-02; ada B 06-03; ada X 06-04; bob A 06-01; bob X 06-02; bob B 06-03" => "ada";
        sequence("A").then("B").same("item"),
            "ada A 06-01 item=1; ada A 06-02 item=2; ada B 06-03 item=2; bob A 06-01 item=1; bob B 06-02 item=2" => "ada";
        attribute("city").eq("SF"),
            "ada .city 06-01 \"SF\"; bob .city 06-01 \"SF\"; bob .city 06-02 \"LA\"" => "ada";
    }
}

fn twilio_segment() -> Held {
    hold! {
        did("Order Completed").last(days(30)),
            "ada Order_Completed 06-01; bob Order_Completed 05-01" => "ada";
        did("Product Viewed") & !did("Order Completed"),
            "ada Product_Viewed 06-01; bob Product_Viewed 06-01; bob Order_Completed 06-02" => "ada";
        did("*").ago(days(90), days(30)) & !did("*").last(days(30)),
            "ada login 04-01; bob login 04-01; bob login 06-01; cleo login 06-01" => "ada";
        sequence("Checkout Started").then_not("Order Completed", days(1)).last(days(7)),
            "ada Checkout_Started 06-14T12:00; bob Checkout_Started 06-14T12:01;
             cleo Checkout_Started 06-10; cleo Order_Completed 06-11" => "ada";
        sequence("Product Viewed").then("Order Completed").same("product_id"),
            "ada Product_Viewed 06-01 product_id=\"p1\"; ada Order_Completed 06-02 product_id=\"p1\";
             bob Product_Viewed 06-01 product_id=\"p1\"; bob Order_Completed 06-02 product_id=\"p2\"" => "ada";
        did("Order Completed").sum("revenue").more_than(1000),
            "ada Order_Completed 06-01 revenue=1000.01; bob Order_Completed 06-01 revenue=1000" => "ada";
        attribute("email").exists(),
            "ada .email 06-01 \"ada@a.example\"; bob login 06-01" => "ada";
    }
}

fn posthog() -> Held {
    hold! {
        did("upload").last(days(30)),
            "ada upload 06-01; bob upload 05-01; cleo login 06-01" => "ada";
        did("upload").not_in_last(days(30)),
            "ada upload 06-01; bob upload 05-01; cleo login 06-01" => "bob cleo";
        did("upload").regularly(2, 3, weeks(1)),
            "ada upload 06-10; ada upload 05-30; bob upload 06-10; bob upload 06-11; bob upload 05-20" => "ada";
        did("upload").stopped(days(30)),
            "ada upload 05-01; bob upload 05-01; bob upload 06-01; cleo upload 04-01" => "ada";
        did("upload").restarted(days(30)),
            "ada upload 04-01; ada upload 06-01; bob upload 04-01; bob upload 05-01; bob upload 06-01;
             cleo upload 06-01" => "ada";
        did("purchase").first_in_last(days(30)) & did("purchase").first_value("kind").eq("book"),
            "ada purchase 06-01 kind=\"book\"; bob purchase 06-01 kind=\"hat\"; bob purchase 06-02 kind=\"book\";
             cleo purchase 01-01 kind=\"book\"" => "ada";
        did("purchase").where_(property("kind").eq("book")).first_in_last(days(30)),
            "ada purchase 01-01 kind=\"hat\"; ada purchase 06-01 kind=\"book\";
             bob purchase 01-01 kind=\"book\"; bob purchase 06-01 kind=\"book\"" => "ada";
        sequence("signup").then("upload").within(days(7)),
            "ada signup 06-01; ada upload 06-08; bob signup 06-01; bob upload 06-08T00:01" => "ada";
    }
}

fn hubspot() -> Held {
    hold! {
        attribute("stage").one_of(["lead", "customer"]),
            "ada .stage 06-01 \"lead\"; bob .stage 06-01 \"Lead\"" => "ada";
        attribute("stage").none_of(["lead", "customer"]),
            "ada .stage 06-01 \"partner\"; bob .stage 06-01 \"lead\"; cleo login 06-01" => "ada cleo";
        attribute("stage").missing(),
            "ada login 06-01; bob .stage 06-01 \"lead\"" => "ada";
        attribute("destinations").eq("Australia"),
            "ada .destinations 06-01 [\"Australia\",\"Brazil\"]; bob .destinations 06-01 [\"Brazil\"]" => "ada";
        attribute("last_activity").last(days(7)),
            "ada .last_activity 06-01 i:06-08T12:01; bob .last_activity 06-01 i:06-08T12:00;
             cleo .last_activity 06-01 i:06-16" => "ada";
        attribute("last_activity").before(days(30)),
            "ada .last_activity 06-01 i:05-16T12:00; bob login 01-01" => "ada";
        changed("stage").last(days(7)),
            "ada .stage 01-01 \"lead\"; ada .stage 06-10 \"customer\"; bob .stage 01-01 \"lead\"; bob .stage 06-10 \"lead\"" => "ada";
        !did("webinar"),
            "ada login 06-01; bob webinar 01-01" => "ada";
        list("partners"),
            "ada login 06-01; bob login 06-01" => "ada";
    }
}
