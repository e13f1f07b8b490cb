//! Every size that `examples/rfm` prints, against figures computed in SQL from the same file.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot be set up fails

#[path = "../examples/rfm/segments.rs"]
mod segments;

use std::path::Path;

use rusqlite::{Connection, params};
use whodid::Evaluate;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/cdnow.csv");

/// A condition on a customer, on the table `p` of purchases: `c` the customer, `d` the day as text, `cds`, and `cents`.
/// A purchase is at midnight, so that an edge of a window falls on one: `d > x` leaves that day out.
const CONDITIONS: [(&str, &str); 23] = [
    ("recency: up to 90 days", "max(d) > date('1998-07-01', '-90 days')"),
    (
        "recency: 90 to 180 days",
        "max(d) > date('1998-07-01', '-180 days') and max(d) <= date('1998-07-01', '-90 days')",
    ),
    (
        "recency: 180 days to a year",
        "max(d) > date('1998-07-01', '-365 days') and max(d) <= date('1998-07-01', '-180 days')",
    ),
    ("recency: over a year", "max(d) <= date('1998-07-01', '-365 days')"),
    ("frequency: once", "count(*) = 1"),
    ("frequency: 2 or 3 times", "count(*) in (2, 3)"),
    ("frequency: 4 to 9 times", "count(*) between 4 and 9"),
    ("frequency: 10 times or more", "count(*) >= 10"),
    ("money: below 20", "sum(cents) < 2000"),
    ("money: 20 to below 100", "sum(cents) >= 2000 and sum(cents) < 10000"),
    ("money: 100 to below 500", "sum(cents) >= 10000 and sum(cents) < 50000"),
    ("money: 500 or more", "sum(cents) >= 50000"),
    ("champions", "max(d) > date('1998-07-01', '-90 days') and count(*) >= 4 and sum(cents) >= 20000"),
    (
        "at risk: often and rich, silent for 180 days",
        "max(d) <= date('1998-07-01', '-180 days') and count(*) >= 4 and sum(cents) >= 20000",
    ),
    ("lost: 200 or more, over a year ago", "max(d) <= date('1998-07-01', '-365 days') and sum(cents) >= 20000"),
    (
        "back: silent for 180 days, then again",
        "sum(d > date('1998-07-01', '-180 days')) > 0
         and sum(d > date('1998-07-01', '-360 days') and d <= date('1998-07-01', '-180 days')) = 0
         and sum(d <= date('1998-07-01', '-360 days')) > 0",
    ),
    (
        "spending halved in half a year",
        "sum(iif(d > date('1998-07-01', '-360 days') and d <= date('1998-07-01', '-180 days'), cents, 0)) > 0
         and 2 * sum(iif(d > date('1998-07-01', '-180 days'), cents, 0))
             <= sum(iif(d > date('1998-07-01', '-360 days') and d <= date('1998-07-01', '-180 days'), cents, 0))",
    ),
    ("a single order of 100 or more", "max(cents) >= 10000"),
    ("50 or more an order, of at least 3", "count(*) >= 3 and sum(cents) >= 5000 * count(*)"),
    ("in 6 months or more", "count(distinct strftime('%Y-%m', d)) >= 6"),
    (
        // Where the month after lacks the day, its end is meant.
        "10 discs within the first month",
        "(select sum(q.cds) from p q where q.c = p.c and case
            when strftime('%d', first, '+1 month') = strftime('%d', first) then q.d <= date(first, '+1 month')
            else q.d < date(first, 'start of month', '+2 months') end) >= 10",
    ),
    (
        "second order within 30 days",
        "exists (select 1 from p a join p b on a.c = b.c and b.d > a.d and b.d <= date(a.d, '+30 days')
                 where a.c = p.c)",
    ),
    (
        "every one of the last 4 quarters",
        "sum(d > date('1998-07-01', '-91 days')) > 0
         and sum(d > date('1998-07-01', '-182 days') and d <= date('1998-07-01', '-91 days')) > 0
         and sum(d > date('1998-07-01', '-273 days') and d <= date('1998-07-01', '-182 days')) > 0
         and sum(d > date('1998-07-01', '-364 days') and d <= date('1998-07-01', '-273 days')) > 0",
    ),
];

/// The file as a table, without any of our code.
fn table(text: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("create table p (c text, d text, cds integer, cents integer)")?;
    let mut insert = connection.prepare("insert into p values (?1, ?2, ?3, ?4)")?;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [customer, date, cds, dollars] = fields[..] else { panic!("{line:?}") };
        let day = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
        let cents: i64 = dollars.replace('.', "").parse().unwrap();
        insert.execute(params![customer, day, cds, cents])?;
    }
    drop(insert);
    connection.execute_batch("create index by_customer on p (c, d)")?;
    Ok(connection)
}

#[test]
fn sizes_are_those_that_sql_finds() {
    if !Path::new(FILE).exists() {
        let required = std::env::var("WHODID_REQUIRE_SHARED").is_ok_and(|v| v == "1");
        assert!(!required, "../shared/data/cdnow.csv is absent, and WHODID_REQUIRE_SHARED=1");
        println!("SKIPPED: no ../shared/data/cdnow.csv to compare with");
        return;
    }
    let text = std::fs::read_to_string(FILE).unwrap();
    let table = table(&text).unwrap();
    let snapshot = segments::load(text.as_bytes()).unwrap().snapshot();
    let segments = segments::segments();
    let names: Vec<&str> = segments.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, CONDITIONS.map(|(name, _)| name));
    for ((name, segment), (_, condition)) in segments.iter().zip(CONDITIONS) {
        let sql =
            format!("select count(*) from (select min(d) as first from p group by c having {condition})");
        let size: i64 = table.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(snapshot.count(segment, segments::AT).unwrap(), size.unsigned_abs(), "{name}");
    }
    let (customers, cents): (i64, i64) = table
        .query_row("select count(distinct c), sum(cents) from p", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(snapshot.everyone(segments::AT).unwrap().len(), customers.unsigned_abs());
    let spent: f64 = snapshot
        .measure(segments::spent(), segments::AT)
        .unwrap()
        .iter()
        .map(|(_, number)| number.to_number().as_f64())
        .sum();
    assert!((spent * 100.0 - cents as f64).abs() < 1.0, "{spent} {cents}");
}
