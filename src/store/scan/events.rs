//! One pass over events for any number of questions.

#![allow(clippy::mutable_key_type)] // compiled patterns, which are no part of what makes keys equal

use foldhash::HashMap;
use roaring::RoaringBitmap;

use super::anchors::Anchors;
use crate::plan::bounds::Bounds;
use crate::plan::filter::BoundFilter;
use crate::plan::{Hit, Matcher, Point, UserFacts};
use crate::segment::EventPattern;
use crate::store::{Among, EventQuery, EventStore, StoredEvent, UserId};
use crate::time::Timestamp;

/// What a question needs to know of the events.
pub(super) struct Ask<'p> {
    pub(super) matchers: &'p [Matcher],
    /// The property that is measured.
    pub(super) of: Option<&'p str>,
    /// The property whose values take the events apart.
    pub(super) same: Option<&'p str>,
    pub(super) anchor: Option<&'p Point>,
    /// Where events can matter.
    pub(super) reach: Bounds,
}

/// The facts of a user for one question.
pub(super) struct Found<'a> {
    /// The index of the question.
    pub(super) ask: usize,
    pub(super) facts: UserFacts<'a>,
}

/// A matcher that some questions share.
struct Shared<'p> {
    matcher: &'p Matcher,
    filter: Option<BoundFilter<'p>>,
    /// The questions, with the index that it has in each.
    routes: Vec<(usize, u32)>,
}

/// Visits every user of the universe that has events for some question, or an anchor for it, with those
/// questions. A question without an anchor is not asked about a user without events for it.
pub(super) fn scan<'p, S: EventStore + ?Sized>(
    store: &S,
    asks: &[Ask<'p>],
    anchors: &mut Anchors<'p>,
    at: Timestamp,
    among: Among<'_>,
    visit: &mut dyn FnMut(UserId, &[Found<'_>]),
) -> Result<(), S::Error> {
    if asks.is_empty() {
        return Ok(());
    }
    let mut pass = Pass::new(asks, at.millis());
    let (events, properties, from) = pass.needs();
    let query = EventQuery { events: &events, from, to: at, properties: &properties, among };
    let mut visited = RoaringBitmap::new();
    store.events(&query, &mut |user, events| {
        if anchors.universe.contains(user.number()) {
            visited.insert(user.number());
            pass.user(user, events, anchors, visit);
        }
    })?;
    // The rest has no events, which is an answer where there is an anchor.
    for (ask, question) in asks.iter().enumerate() {
        for (user, anchor) in question.anchor.map(|point| anchors.instants(point)).unwrap_or_default() {
            if anchors.universe.contains(user.number()) && !visited.contains(user.number()) {
                let facts = UserFacts { anchor: Some(anchor), ..UserFacts::default() };
                visit(user, &[Found { ask, facts }]);
            }
        }
    }
    Ok(())
}

/// A pass over the events of one user after another.
struct Pass<'q, 'p> {
    asks: &'q [Ask<'p>],
    at: i64,
    matchers: Vec<Shared<'p>>,
    /// The event points, with the place of their matcher.
    points: HashMap<&'p Point, usize>,
    /// The matchers that each name met so far is about.
    names: HashMap<String, Vec<usize>>,
}

impl<'q, 'p> Pass<'q, 'p> {
    fn new(asks: &'q [Ask<'p>], at: i64) -> Self {
        let mut pass =
            Self { asks, at, matchers: Vec::new(), points: HashMap::default(), names: HashMap::default() };
        let mut places = HashMap::default();
        for (ask, question) in asks.iter().enumerate() {
            for (index, matcher) in (0..).zip(question.matchers) {
                let place = pass.place(&mut places, matcher);
                pass.matchers[place].routes.push((ask, index));
            }
            if let Some(point @ (Point::First(matcher) | Point::Latest(matcher))) = question.anchor {
                let place = pass.place(&mut places, matcher);
                pass.points.insert(point, place);
            }
        }
        pass
    }

    /// The place of a matcher, each distinct one once.
    fn place(&mut self, places: &mut HashMap<&'p Matcher, usize>, matcher: &'p Matcher) -> usize {
        *places.entry(matcher).or_insert_with(|| {
            let filter = matcher.filter_at(self.at);
            self.matchers.push(Shared { matcher, filter, routes: Vec::new() });
            self.matchers.len() - 1
        })
    }

    /// The names, the properties and the earliest instant that are asked for.
    fn needs(&self) -> (Vec<EventPattern>, Vec<&'p str>, Timestamp) {
        let mut events: Vec<_> =
            self.matchers.iter().flat_map(|shared| shared.matcher.events()).cloned().collect();
        events.sort_unstable();
        events.dedup();
        let of_filters = self.matchers.iter().flat_map(|shared| shared.matcher.properties());
        let of_asks = self.asks.iter().flat_map(|ask| ask.of.into_iter().chain(ask.same));
        let mut properties: Vec<&str> = of_filters.chain(of_asks).collect();
        properties.sort_unstable();
        properties.dedup();
        let earliest = if self.points.is_empty() {
            self.asks.iter().map(|ask| ask.reach.lo).min().unwrap_or(i64::MIN)
        } else {
            i64::MIN
        };
        (events, properties, Timestamp::from_millis(earliest).max(Timestamp::MIN))
    }

    fn user(
        &mut self,
        user: UserId,
        events: &[StoredEvent<'_>],
        anchors: &mut Anchors<'p>,
        visit: &mut dyn FnMut(UserId, &[Found<'_>]),
    ) {
        let mut hits: Vec<Vec<Hit<'_>>> = vec![Vec::new(); self.asks.len()];
        // The first and the last instant at which each matcher matched.
        let mut ends: Vec<Option<(i64, i64)>> = vec![None; self.matchers.len()];
        for event in events {
            let at = event.at.millis();
            if at > self.at {
                break;
            }
            for place in about(&mut self.names, &self.matchers, event.name) {
                let shared = &self.matchers[*place];
                if shared.filter.as_ref().is_some_and(|filter| !filter.passes(event.properties)) {
                    continue;
                }
                let first = ends[*place].map_or(at, |(first, _)| first);
                ends[*place] = Some((first, at));
                for (ask, matcher) in &shared.routes {
                    let question = &self.asks[*ask];
                    if question.reach.contains(at) {
                        hits[*ask].push(question.hit(event, at, *matcher));
                    }
                }
            }
        }
        for (point, place) in &self.points {
            if let Some((first, last)) = ends[*place] {
                anchors.found(point, user, if matches!(point, Point::First(_)) { first } else { last });
            }
        }
        let mut found = Vec::new();
        for (ask, (question, hits)) in self.asks.iter().zip(&hits).enumerate() {
            let anchor = question.anchor.and_then(|point| anchors.instant(point, user));
            if anchor.is_some() || (question.anchor.is_none() && !hits.is_empty()) {
                found.push(Found { ask, facts: UserFacts { anchor, hits, ..UserFacts::default() } });
            }
        }
        visit(user, &found);
    }
}

/// The matchers that are about events of a name, looked up once for each name.
fn about<'n>(names: &'n mut HashMap<String, Vec<usize>>, matchers: &[Shared<'_>], name: &str) -> &'n [usize] {
    if !names.contains_key(name) {
        let places = (0..matchers.len()).filter(|place| matchers[*place].matcher.names(name)).collect();
        names.insert(name.to_owned(), places);
    }
    names.get(name).map_or(&[], Vec::as_slice)
}

impl Ask<'_> {
    fn hit<'a>(&self, event: &StoredEvent<'a>, at: i64, matcher: u32) -> Hit<'a> {
        Hit {
            at,
            matcher,
            value: self.of.and_then(|of| event.properties.get(of)),
            group: self.same.and_then(|same| event.properties.get(same)?.scalar()),
        }
    }
}
