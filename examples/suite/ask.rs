//! The questions, and asking them: all of the evaluation API that the suite needs.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use roaring::RoaringBitmap;
use serde_json::{Value as Json, json};
use whodid::plan::Plan;
use whodid::segment::Segment;
use whodid::{Catalog, Evaluate, EventStore, Snapshot, Timestamp};

use crate::answer::{Answer, Numbers};
use crate::timing::{Cold, median, time};

/// A segment, or the portfolio as one catalog.
pub enum Question {
    One(Box<Segment>),
    All(Catalog),
}

/// A question's answers and times, in microseconds.
pub struct Asked {
    pub answers: Vec<Answer>,
    /// The first time it was asked at this instant, with whatever that has to build.
    pub first: f64,
    /// Median when asked again: the segment is planned and answered each time.
    pub hot: f64,
    /// Median when asked again after the caches were streamed over.
    pub cold: f64,
    /// Median when asked again with a plan made before.
    pub planned: f64,
    /// How many, without who.
    pub count_hot: f64,
    pub count_cold: f64,
}

impl Asked {
    pub fn json(&self, right: Option<bool>) -> Json {
        let answers: Vec<Json> = self.answers.iter().map(|answer| answer.json()).collect();
        json!({
            "members": answers, "right": right, "first_us": self.first, "hot_us": self.hot, "cold_us": self.cold,
            "planned_us": self.planned, "count_hot_us": self.count_hot, "count_cold_us": self.count_cold,
        })
    }
}

impl Question {
    /// The questions that `suite.py` wrote, by name; the portfolio is q15.
    pub fn read(folder: &Path) -> Result<BTreeMap<String, Self>, Box<dyn Error>> {
        let suite: BTreeMap<String, Segment> =
            serde_json::from_str(&fs::read_to_string(folder.join("suite.json"))?)?;
        let mut questions: BTreeMap<_, _> =
            suite.into_iter().map(|(name, segment)| (name, Self::One(Box::new(segment)))).collect();
        let portfolio: Vec<Segment> =
            serde_json::from_str(&fs::read_to_string(folder.join("portfolio.json"))?)?;
        let mut catalog = Catalog::new();
        for (i, segment) in portfolio.into_iter().enumerate() {
            catalog.insert(format!("p{i:02}"), segment)?;
        }
        questions.insert("q15".to_owned(), Self::All(catalog));
        Ok(questions)
    }

    fn plan(&self) -> Result<Plan, Box<dyn Error>> {
        Ok(match self {
            Self::One(segment) => Plan::of(segment.as_ref())?,
            Self::All(catalog) => catalog.plan()?,
        })
    }

    /// Asks once; the members of each segment.
    fn members(&self, snapshot: &Snapshot, at: Timestamp) -> Result<Vec<RoaringBitmap>, Box<dyn Error>> {
        Ok(match self {
            Self::One(segment) => vec![snapshot.members(segment.as_ref(), at)?.into_bitmap()],
            Self::All(catalog) => {
                let answers = snapshot.evaluate(catalog, at)?;
                answers.into_iter().map(|(_, members)| members.into_bitmap()).collect()
            }
        })
    }

    fn counts(&self, snapshot: &Snapshot, at: Timestamp) -> Result<Vec<u64>, Box<dyn Error>> {
        Ok(match self {
            Self::One(segment) => vec![snapshot.count(segment.as_ref(), at)?],
            Self::All(catalog) => snapshot.answer_counts(&catalog.plan()?, at)?,
        })
    }

    /// Asks as often as it takes to know how long it takes.
    pub fn ask(
        &self,
        snapshot: &Snapshot,
        at: Timestamp,
        numbers: &Numbers,
        runs: usize,
        cold: &mut Cold,
    ) -> Result<Asked, Box<dyn Error>> {
        let (first, members) = time(|| self.members(snapshot, at));
        let members = members?;
        let answers: Vec<Answer> = members.iter().map(|members| numbers.answer(members)).collect();
        drop(members);
        let counts = self.counts(snapshot, at)?;
        if !counts.iter().eq(answers.iter().map(|answer| &answer.count)) {
            return Err(format!("counted {counts:?}, members are {answers:?}").into());
        }
        let plan = self.plan()?;
        Ok(Asked {
            first,
            hot: median(runs, || (), || self.members(snapshot, at)),
            cold: median(runs, || cold.stream(), || self.members(snapshot, at)),
            planned: median(runs, || (), || snapshot.evaluate(&plan, at)),
            count_hot: median(runs, || (), || self.counts(snapshot, at)),
            count_cold: median(runs, || cold.stream(), || self.counts(snapshot, at)),
            answers,
        })
    }
}

/// How long it takes to say whether one user is a member.
pub struct Point {
    /// Nanoseconds a call, on average, with the plan made before.
    pub ns: f64,
    pub calls: usize,
    pub members: usize,
}

/// Asks about random users, by their external ids.
pub fn point(
    snapshot: &Snapshot,
    segment: &Segment,
    at: Timestamp,
    ids: &[String],
) -> Result<Point, Box<dyn Error>> {
    const CALLS: usize = 200_000;
    let plan = Plan::of(segment)?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let random = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ids[(state >> 33) as usize % ids.len()].clone()
    };
    // of their own, one behind the other: a request that names a user has the name in its cache
    let users: Vec<String> = (0..CALLS).map(random).collect();
    let start = Instant::now();
    let mut members = 0;
    for user in users {
        members += usize::from(black_box(snapshot.is_member(&user, &plan, at)?));
    }
    #[allow(clippy::cast_precision_loss)]
    let ns = start.elapsed().as_secs_f64() * 1e9 / CALLS as f64;
    Ok(Point { ns, calls: CALLS, members })
}
