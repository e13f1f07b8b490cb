//! Recency, frequency and money, and what people make of them.

use std::io::Read;

use whodid::import::{Cell, ImportError, Importer};
use whodid::segment::{Measured, Segment};
use whodid::{MemoryStore, Timestamp, days, did, months, sequence};

/// 1998-07-01T00:00:00Z, the day after the last purchase.
pub const AT: Timestamp = Timestamp::from_millis(899_251_200_000);

/// Reads a table of `customer_id,date,cds,dollars`, a purchase a row.
pub fn load(table: impl Read) -> Result<MemoryStore, ImportError> {
    let mut store = MemoryStore::new();
    Importer::csv()
        .user("customer_id")
        .event("purchase")
        .at("date", "%Y%m%d")
        .property("cds", Cell::Int)
        .property("dollars", Cell::Float)
        .read(table, &mut store)?;
    Ok(store)
}

/// What a customer spent in all.
pub fn spent() -> Measured {
    did("purchase").sum("dollars").into()
}

/// Each segment by name, in the order of the table.
pub fn segments() -> Vec<(&'static str, Segment)> {
    let bought = || did("purchase");
    let spent = || bought().sum("dollars");
    let recent = || bought().latest().last(days(90));
    let gone = || bought().latest().before(days(365));
    let often = || bought().at_least(4);
    let rich = || spent().at_least(200);
    vec![
        ("recency: up to 90 days", recent().into()),
        ("recency: 90 to 180 days", bought().latest().ago(days(180), days(90)).into()),
        ("recency: 180 days to a year", bought().latest().ago(days(365), days(180)).into()),
        ("recency: over a year", gone().into()),
        ("frequency: once", bought().exactly(1).into()),
        ("frequency: 2 or 3 times", bought().between(2, 3).into()),
        ("frequency: 4 to 9 times", bought().between(4, 9).into()),
        ("frequency: 10 times or more", bought().at_least(10).into()),
        ("money: below 20", spent().less_than(20).into()),
        ("money: 20 to below 100", spent().at_least(20).less_than(100).into()),
        ("money: 100 to below 500", spent().at_least(100).less_than(500).into()),
        ("money: 500 or more", spent().at_least(500).into()),
        ("champions", recent() & often() & rich()),
        ("at risk: often and rich, silent for 180 days", often() & rich() & bought().not_in_last(days(180))),
        ("lost: 200 or more, over a year ago", gone() & rich()),
        ("back: silent for 180 days, then again", bought().restarted(days(180))),
        ("spending halved in half a year", spent().fell_to(1, 2, days(180))),
        ("a single order of 100 or more", bought().max("dollars").at_least(100).into()),
        ("50 or more an order, of at least 3", bought().at_least(3) & bought().avg("dollars").at_least(50)),
        ("in 6 months or more", bought().active_months().at_least(6).into()),
        ("10 discs within the first month", bought().sum("cds").at_least(10).within_first(months(1)).into()),
        ("second order within 30 days", sequence("purchase").then("purchase").within(days(30)).into()),
        ("every one of the last 4 quarters", bought().regularly(4, 4, days(91))),
    ]
}
