//! Who did X, and who did not: exact event-based segmentation, embedded in a backend.
//!
//! whodid takes in what users did (**events**) and what is known of them (**attributes**), and answers who is in a
//! **segment** at an instant, to the last user and the last millisecond. It is a library for whoever builds
//! campaigns, lifecycle mails, cohorts or feature gates into a product: no server, no query language, no schedule.
//!
//! One idea runs through all of it:
//!
//! > A segment is an expression. A plan is its distinct leaves and the set algebra over them. Something answers
//! > each leaf with a bitmap of users. Everything else is set algebra.
//!
//! # The smallest complete example
//!
//! ```
//! use whodid::{Evaluate, Event, Ingest, MemoryStore, Timestamp, attribute, days, did};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now: Timestamp = "2026-06-15T12:00:00Z".parse()?; // or SystemTime::now().into(): the clock is yours
//!
//! let mut store = MemoryStore::new();
//! store.set("ada", "plan", "enterprise", now.minus(days(90)))?;
//! for day in 35..40 {
//!     store.record(Event::new("ada", "feature_used", now.minus(days(day))))?;
//! }
//!
//! let fading = attribute("plan").eq("enterprise")
//!     & did("feature_used").at_least(5).ago(days(60), days(30))
//!     & !did("feature_used").last(days(30));
//!
//! let snapshot = store.snapshot();
//! let members = snapshot.members(&fading, now)?;
//! assert_eq!(members.ids().collect::<Vec<_>>(), ["ada"]);
//! # Ok(()) }
//! ```
//!
//! [`Ingest`] is the trait that facts go in by, [`Evaluate`] the one that answers come out of: bring them into
//! scope.
//!
//! # A tour
//!
//! ## Facts
//!
//! A fact is an [`Event`] (user, name, instant, properties, perhaps an id), a write of an attribute, or that a user
//! exists since an instant. Every write of an attribute is kept, so its value at any instant in the past can be
//! asked. Facts may arrive late and in any order: what counts is their instant. An id makes delivery idempotent.
//!
//! ```
//! use whodid::{Event, Fact, Ingest, IngestError, MemoryStore, Record, Recorded, Timestamp, hours};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let at: Timestamp = "2026-06-01T09:00:00+02:00".parse()?;
//! let mut store = MemoryStore::new();
//!
//! let order = Event::new("ada", "order", at)
//!     .with("total", 99.5)
//!     .with("coupons", ["spring", "vip"])
//!     .with("products", vec![Record::new().with("sku", "s-1").with("price", 59.5)])
//!     .id("order-17");
//! assert_eq!(store.record(order.clone())?, Recorded::New);
//! assert_eq!(store.record(order)?, Recorded::Duplicate);
//!
//! store.set("ada", "plan", "pro", at)?; // from then on
//! store.unset("ada", "plan", at.plus(hours(2)))?; // gone again, its history kept
//! store.register("bob", at)?; // a user without facts
//!
//! // A visitor turns out to be ada: what the visitor did is hers.
//! store.record(Event::new("visitor-1", "page", at))?;
//! store.merge("visitor-1", "ada")?;
//!
//! // A batch goes in whole or not at all; `take_good` keeps the good facts and reports the others.
//! let batch: Vec<Fact> = vec![Event::new("ada", "login", at).into(), Event::new("", "login", at).into()];
//! let refused = store.take_all(batch).unwrap_err();
//! assert_eq!(refused.index, 1);
//! assert!(matches!(refused.error, IngestError::Empty { .. }));
//! # Ok(()) }
//! ```
//!
//! [`Ingest::forget`] erases a user, [`Ingest::retain`] drops events older than a horizon. [`Value`] says what
//! properties and attributes may be.
//!
//! ## Segments
//!
//! [`did`], [`attribute`], [`sequence`], [`changed`], [`seen`], [`score`] and their kin each open one form of the
//! law, and their methods say more about it; `&`, `|` and `!` join. Windows are relative to the instant that is
//! asked about.
//!
//! ```
//! use whodid::segment::Segment;
//! use whodid::{Tz, at_least, attribute, changed, days, did, hours, property, sample, score, sequence, weeks};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let check = |segment: Segment| segment.validate();
//! let big_spender = did("purchase").sum("amount").at_least(500).last(days(90));
//! let shoes = did("order").where_(property("products").any_element(property("sku").starts_with("shoe-")));
//! let same_thing = did("view").same("item").at_least(3).last(days(7)); // one and the same item
//! let habit = did("login").active_days().in_zone(Tz::Europe__Berlin).at_least(5).last(days(14));
//! let abandoned = sequence("cart").then("checkout").within(hours(1)).then_not("purchase", days(1)).last(days(30));
//! let trial_ends = attribute("trial_ends_at").next(days(3));
//! let upgraded = changed("plan").from("free").to("pro").last(days(30));
//! let onboarding = did("activated").within_first(days(7)); // of the user's first appearance
//! let engaged = at_least(2, [did("share"), did("invite"), did("export")]);
//! let lead = score().add(10, did("invite")).per(1, did("login").last(days(30))).at_least(50);
//! let silent = did("login").absent_for(weeks(2)); // known that long, and nothing since
//! let half = sample("spring", 0..50); // the same half on every machine
//! # for one in [
//! #     big_spender.clone().into(), shoes.into(), same_thing.into(), habit.into(), abandoned.into(), trial_ends.into(),
//! #     upgraded.into(), onboarding.into(), engaged, lead.into(), silent.clone(), half.into(),
//! # ] {
//! #     check(one)?;
//! # }
//!
//! // Whatever was built has one JSON form, is a key, and says in English who is meant.
//! let segment: Segment = silent & !big_spender;
//! assert_eq!(Segment::from_json(&segment.to_json())?, segment);
//! println!("{segment}");
//!
//! let error = Segment::from_json(r#"{"did":{"event":"x","in":{"last":"1q"}}}"#).unwrap_err();
//! assert_eq!(error.path(), "did.in.last");
//! # Ok(()) }
//! ```
//!
//! [`segment::builder`] is the whole builder with its windows, [`mod@segment`] the tree it builds with
//! every form of its JSON.
//!
//! ## Questions
//!
//! Every question names its instant; facts later than that do not exist for it, so the past can be asked at any
//! time. Any [`EventStore`] has the methods of [`Evaluate`]. Of a [`MemoryStore`] take a [`Snapshot`]: it costs a
//! few pointer copies, is `Send + Sync`, and stays as it is while facts go on arriving.
//!
//! ```
//! use whodid::{Evaluate, Event, Ingest, MemoryStore, Timestamp, days, did};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
//! let mut store = MemoryStore::new();
//! store.record(Event::new("ada", "purchase", now.minus(days(3))).with("amount", 30))?;
//! store.record(Event::new("bob", "login", now.minus(days(40))))?;
//! let snapshot = store.snapshot();
//! let buyers = did("purchase").last(days(30));
//!
//! let members = snapshot.members(&buyers, now)?; // a bitmap, with the way back to ids
//! let bitmap: &roaring::RoaringBitmap = members.bitmap();
//! assert_eq!(bitmap.len(), snapshot.count(&buyers, now)?);
//! assert_eq!(snapshot.count(&buyers, now.minus(days(7)))?, 0); // a week ago
//! assert_eq!(snapshot.everyone(now)?.len(), 2);
//! assert!(snapshot.is_member("ada", &buyers, now)?); // of one user, without asking about the others
//!
//! // A measure without a range is a trait: an exact number for each user.
//! let spent = snapshot.measure_of("ada", did("purchase").sum("amount").last(days(90)), now)?;
//! assert_eq!(spent.map(|sum| sum.to_number()), Some(30.into()));
//! # Ok(()) }
//! ```
//!
//! What is asked again and again is planned once: [`plan::Plan::of`] and [`Catalog::plan`] make a [`Plan`] that
//! takes the segment's place in all of these calls, and prints what will be asked.
//!
//! ## A catalog
//!
//! Named segments that may refer to each other, and static lists of users, are one JSON document. Asked as a whole,
//! each distinct leaf is answered once.
//!
//! ```
//! use whodid::{Catalog, Evaluate, Event, Ingest, MemoryStore, Timestamp, days, did, list, segment};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut catalog = Catalog::from_json(r#"{
//!     "segments": {"active": {"did": {"event": "login", "in": {"last": "30d"}}}},
//!     "lists": {"staff": ["ada"]}
//! }"#)?;
//! catalog.insert("guests", segment("active") & !list("staff"))?;
//! catalog.insert("keen", did("login").at_least(2).last(days(30)))?;
//!
//! let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
//! let mut store = MemoryStore::new();
//! store.record(Event::new("ada", "login", now.minus(days(1))))?;
//! store.record(Event::new("bob", "login", now.minus(days(2))))?;
//! let snapshot = store.snapshot();
//!
//! let answers = snapshot.evaluate(&catalog, now)?;
//! assert_eq!(answers["guests"].ids().collect::<Vec<_>>(), ["bob"]);
//! assert_eq!(snapshot.segments_of("ada", &catalog, now)?, ["active"]);
//! println!("{}", catalog.plan()?);
//! # Ok(()) }
//! ```
//!
//! A segment that names others or lists is asked through its catalog: [`Catalog::plan_of`].
//!
//! ## Campaigns
//!
//! [`exclusive`] settles who gets which of several campaigns: a pure function over sets of users, the first
//! campaign the highest. [`sample`] [holds out](segment::Sample::split) a share of them beforehand.
//!
//! ```
//! # use whodid::{Evaluate, Event, Ingest, MemoryStore, Timestamp, days, did};
//! use whodid::exclusive;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
//! # let mut store = MemoryStore::new();
//! # for (user, name) in [("ada", "limit_hit"), ("ada", "login"), ("bob", "login")] {
//! #     store.record(Event::new(user, name, now.minus(days(1))))?;
//! # }
//! # let snapshot = store.snapshot();
//! let upgrade = snapshot.members(&did("limit_hit").last(days(7)), now)?; // ada
//! let newsletter = snapshot.members(&did("login").last(days(30)), now)?; // ada and bob
//! let settled = exclusive([("upgrade", &upgrade), ("newsletter", &newsletter)], 1)?;
//!
//! assert_eq!(settled.members("newsletter").map(|kept| kept.len()), Some(1));
//! assert_eq!(settled.taken("upgrade", "newsletter"), Some(1));
//! println!("{settled}"); // a table: given, kept, lost, to whom
//! for campaign in settled.campaigns() {
//!     for id in snapshot.users(campaign.members()).ids() {
//!         println!("{}: {id}", campaign.name());
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! ## Import
//!
//! With the feature `import`, [`Importer`][importer] reads newline-delimited messages of the Segment spec, and CSV
//! with declared columns, from any reader, compressed with gzip or not.
//!
//! ```
//! # #[cfg(feature = "import")] {
//! use whodid::{Importer, MemoryStore};
//!
//! let lines = r#"
//! {"type":"identify","userId":"ada","traits":{"plan":"pro"},"timestamp":"2026-06-01T09:05:00Z"}
//! {"type":"track","userId":"ada","event":"Signed Up","messageId":"m-1","timestamp":"2026-06-01T09:05:01Z"}
//! {"type":"track","userId":"bob"}
//! "#;
//! let mut store = MemoryStore::new();
//! let report = Importer::segment_spec().skip_rejected().read(lines.as_bytes(), &mut store)?;
//! assert_eq!((report.events, report.attribute_writes, report.rejected), (1, 1, 1));
//! assert_eq!(report.rejections[0].to_string(), "line 4: no instant");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## Live
//!
//! [`Live`] keeps the membership of a whole catalog current: facts and time go in, and out come transitions, each
//! at the exact instant at which it happens. It has no clock either: [`Live::next_change`] says until when nothing
//! can change, and [`Live::advance`] is told that time has passed.
//!
//! ```
//! use whodid::{Catalog, Event, Live, MemoryStore, Timestamp, days, did};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now: Timestamp = "2026-06-01T12:00:00Z".parse()?;
//! let mut catalog = Catalog::new();
//! catalog.insert("active", did("login").last(days(14)))?;
//! let mut live = Live::new(catalog, MemoryStore::new(), now)?;
//!
//! let mut told = live.record(Event::new("ada", "login", now.plus(days(1))))?.into_vec();
//! told.extend(live.advance(now.plus(days(1)))?);
//! for change in told {
//!     assert_eq!(change.to_string(), r#"ada entered active at 2026-06-02T12:00:00Z (event "login")"#);
//! }
//! let wake = live.next_change(); // sleep until then, with any runtime: perhaps too early, never too late
//! assert!(wake.is_some_and(|wake| wake <= now.plus(days(15))));
//! assert_eq!(live.members("active").map(|members| members.len()), Some(1)); // there already, no evaluation
//! # Ok(()) }
//! ```
//!
//! What changes at an instant is told once that instant is complete: when a later fact arrives, or time is advanced
//! to it. [`live::rules`] make of transitions what automations need: once ever, after leaving only, after a while,
//! not too often, not at night, and not beside a higher campaign.
//!
//! ## A store of one's own
//!
//! Facts that live elsewhere are asked where they are: [`EventStore`] has five required methods, whose docs are the
//! contract, and every kind of leaf is answered through them. [`Ingest`] is its writing side. One line in a test
//! proves such a store (feature `testing`): first the contract, then random facts and segments against the
//! reference oracle.
//!
//! ```no_run
//! # #[cfg(feature = "testing")] {
//! # use whodid::testing::PlainStore as MyStore;
//! whodid::testing::conformance(MyStore::new); // in a test of yours
//! # }
//! ```
//!
//! # Rooms
//!
//! From what is written down to what runs all day:
//!
//! | room | what it holds |
//! | --- | --- |
//! | the root | facts ([`Event`], [`Value`], [`Timestamp`], [`Span`]), the builder, and what most programs need of the rest |
//! | [`window`] | windows of time, as written |
//! | [`mod@segment`] | the expression: its tree, [builder](segment::builder), JSON, English, and what is refused |
//! | [`plan`] | what an expression means: distinct leaves and measures, and the algebra over them |
//! | [`store`] | the seam between questions and facts; [`MemoryStore`] |
//! | [`Evaluate`] | questions: plan, store and instant become sets and numbers |
//! | [`Catalog`] | named segments and lists |
//! | [`exclusive`] | campaign priority, a pure function |
//! | [`live`] | membership kept current, with transitions |
//! | `import` (feature) | messages and tables into any store |
//! | `oracle` (feature `testing`) | the law in the slowest and plainest code, to be compared with |
//! | `testing` (feature) | random facts and segments, and the suite for stores of one's own |
//!
//! # Features
//!
//! All are off unless asked for, and each only adds.
//!
//! | feature | adds | brings |
//! | --- | --- | --- |
//! | `import` | [`Importer`][importer]: Segment-spec messages and CSV | `flate2`, `csv` |
//! | `parallel` | leaves and ranges of users answered on all cores; the answers stay the same | `rayon` |
//! | `testing` | the oracle, random scenarios, the conformance suite for stores of one's own | `proptest`, `serde_json`, `num-*` |
//!
//! # Limits
//!
//! Each is an error that names it, never a crash.
//!
//! | what | limit |
//! | --- | --- |
//! | instants of facts and of questions | the years 1 to 9999, in milliseconds of UTC |
//! | names of events, attributes, properties, fields, segments and lists, ids, salts | 512 bytes; all but salts are not empty |
//! | a string value | 1 MiB |
//! | properties of an event | 1 000 |
//! | numbers | `i64`, finite `f64` |
//! | expressions and filters inside each other | 64, with those of the segments named |
//! | expressions and filters of one segment | 10 000 |
//! | a span | more than 0, at most 10 000 years |
//! | a compiled regular expression | 10 MiB |
//! | users of a store | `u32::MAX` |
//!
//! # What it promises
//!
//! - **Exact.** Numbers compare and add up exactly across `i64` and `f64`, windows hold to the millisecond,
//!   calendars follow the zone. The order in which facts arrive changes no answer, but for ties of one instant and
//!   for which of two events with one id is kept.
//! - **No clock.** Every instant is the caller's. The same facts, segment and instant give the same answer on every
//!   machine.
//! - **No thread, no I/O.** Nothing is spawned, opened or sent; the importer reads from the reader it is given.
//!   With the feature `parallel`, questions run on rayon's threads.
//! - **No `unsafe`** in this crate.
//! - **Errors are values.** Each area has one error type, which says what was given, where, and what was expected:
//!   [`segment::SegmentError`], [`PlanError`], [`IngestError`], [`EvalError`], [`TimeError`], [`PriorityError`],
//!   [`LiveError`] and, with `import`, `ImportError`; all may grow new variants. Of a refused fact nothing is kept.
//! - **No panic** that input can reach, with one exception that says so: indexing [`Answers`] by a name that was
//!   not asked for, as a map does. The suites of the feature `testing` panic where they fail, as tests do.
//!
//! # What it is not
//!
//! - Not a database: facts of a [`MemoryStore`] live in memory, and keeping them is up to the program.
//!   [`Live::save`] keeps what a live engine knows beyond its store.
//! - Not an event bus, a scheduler or a mailer: it says who, and the program does the rest.
//! - Not approximate: no sketches, no sampling behind one's back.
//! - Not for aggregates over users (revenue by country): it answers *who*, and one exact number of each user.
//!
#![cfg_attr(feature = "import", doc = "[importer]: import::Importer")]
#![cfg_attr(not(feature = "import"), doc = "[importer]: https://docs.rs/whodid")]

mod catalog;
mod eval;
mod event;
mod holdout;
#[cfg(feature = "import")]
pub mod import;
mod json;
mod limits;
pub mod live;
#[cfg(feature = "testing")]
pub mod oracle;
pub mod plan;
mod priority;
pub mod segment;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod value;
pub mod window;

pub use catalog::Catalog;
pub use chrono_tz::Tz;
pub use eval::{Answer, Answers, AsPlan, EvalError, Evaluate, Members, Numbers};
pub use event::{AttributeWrite, Event, Fact, IngestError};
pub use holdout::Split;
#[cfg(feature = "import")]
pub use import::{ImportError, Importer};
pub use live::{Announce, Because, Cause, Changes, Live, LiveError, Movement, Saved, Transition};
pub use plan::{Plan, PlanError};
pub use priority::{Audience, Campaign, Exclusive, PriorityError, exclusive};
pub use segment::builder::{
    all, any, at_least, attribute, changed, did, everyone, known_for, list, no_one, property, sample, score,
    seen, segment, sequence,
};
pub use store::{EventStore, Ingest, MemoryStore, MemoryUsage, Recorded, Snapshot, UserId};
pub use time::{
    Span, TimeError, Timestamp, Unit, days, hours, millis, minutes, months, seconds, weeks, years,
};
pub use value::{Number, Record, Scalar, Value};

/// The page's examples, run.
#[cfg(doctest)]
#[doc = include_str!("../docs/coming-from.md")]
struct ComingFrom;

/// The example of the first page, run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
