//! Asks a store: a plan and an instant become sets of users, and numbers.

mod algebra;
mod answer;
mod asked;
mod members;
mod narrow;
mod numbers;

use std::borrow::Cow;

pub(crate) use algebra::{Points, Sets, fold};
pub(crate) use answer::answer;
pub use asked::AsPlan;
pub use members::{Answers, Members};
pub use numbers::Numbers;

use roaring::RoaringBitmap;

use crate::plan::{ExactSum, Measure, Plan, PlanError};
use crate::segment::Measured;
use crate::store::{Among, EventStore, UserId};
use crate::time::Timestamp;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError<E> {
    /// The segment or the catalog cannot be asked.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The instant of evaluation lies outside the years 1 to 9999.
    #[error("cannot evaluate at {0}, outside the years 1 to 9999")]
    At(Timestamp),
    /// One segment was to be asked for.
    #[error("the plan asks for {0} segments where one is expected")]
    NotOneSegment(usize),
    /// The store cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(E),
}

/// The outcome of asking the store `S`.
pub type Answer<T, S> = Result<T, EvalError<<S as EventStore>::Error>>;

/// Asks a store. Every [`EventStore`] has these methods.
///
/// ```
/// use whodid::{Catalog, Evaluate, Event, Ingest, MemoryStore, Number, Timestamp, days, did, segment};
///
/// let now: Timestamp = "2026-06-15T12:00:00Z".parse()?;
/// let mut store = MemoryStore::new();
/// store.record(Event::new("ada", "purchase", now.minus(days(3))).with("amount", 40))?;
/// store.record(Event::new("bob", "login", now))?;
/// let snapshot = store.snapshot();
///
/// let buyers = did("purchase").last(days(30));
/// assert_eq!(snapshot.members(&buyers, now)?.ids().collect::<Vec<_>>(), ["ada"]);
/// assert_eq!(snapshot.count(&!buyers.clone(), now)?, 1);
/// assert!(snapshot.is_member("ada", &buyers, now)?);
///
/// let mut catalog = Catalog::new();
/// catalog.insert("buyers", buyers)?;
/// catalog.insert("lurkers", !segment("buyers"))?;
/// assert_eq!(snapshot.evaluate(&catalog, now)?["lurkers"].len(), 1);
/// assert_eq!(snapshot.segments_of("bob", &catalog, now)?, ["lurkers"]);
///
/// let spent = did("purchase").sum("amount").last(days(90));
/// let spent = snapshot.measure_of("ada", spent, now)?.map(|sum| sum.to_number());
/// assert_eq!(spent, Some(Number::Int(40)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The instant is always the caller's: nothing here reads a clock, and facts later than it do not exist. What
/// takes an instant fails where the segment cannot be asked, the instant lies outside the years 1 to 9999, or the store
/// cannot be read.
pub trait Evaluate: EventStore {
    /// The users that are in a segment at an instant.
    fn members(
        &self,
        segment: &(impl AsPlan + ?Sized),
        at: impl Into<Timestamp>,
    ) -> Answer<Members<'_, Self>, Self> {
        let (plan, at) = one(self, segment, at.into())?;
        let mut sets = self.answer(&plan, at, Among::Everyone).map_err(EvalError::Store)?;
        Ok(Members::new(self, sets.pop().unwrap_or_default()))
    }

    /// How many users are in a segment at an instant.
    fn count(&self, segment: &(impl AsPlan + ?Sized), at: impl Into<Timestamp>) -> Answer<u64, Self> {
        let (plan, at) = one(self, segment, at.into())?;
        let counts = self.answer_counts(&plan, at).map_err(EvalError::Store)?;
        Ok(counts.first().copied().unwrap_or_default())
    }

    /// The members of every segment of a catalog at an instant; what they share is answered once.
    fn evaluate(
        &self,
        catalog: &(impl AsPlan + ?Sized),
        at: impl Into<Timestamp>,
    ) -> Answer<Answers<'_, Self>, Self> {
        let (plan, at) = (catalog.as_plan()?, in_range(self, at.into())?);
        let sets = self.answer(&plan, at, Among::Everyone).map_err(EvalError::Store)?;
        let named = plan.segments().map(str::to_owned).zip(sets);
        Ok(Answers::new(named.map(|(name, set)| (name, Members::new(self, set))).collect()))
    }

    /// Whether a user, by any of its external ids, is in a segment at an instant; an unknown one is in none.
    fn is_member(
        &self,
        user: &str,
        segment: &(impl AsPlan + ?Sized),
        at: impl Into<Timestamp>,
    ) -> Answer<bool, Self> {
        let (plan, at) = one(self, segment, at.into())?;
        let Some(user) = self.user(user).map_err(EvalError::Store)? else { return Ok(false) };
        let holds = self.answer_user(&plan, user, at).map_err(EvalError::Store)?;
        Ok(holds.first() == Some(&true))
    }

    /// The names of the segments of a catalog that a user is in at an instant, in the order of the catalog.
    fn segments_of(
        &self,
        user: &str,
        catalog: &(impl AsPlan + ?Sized),
        at: impl Into<Timestamp>,
    ) -> Answer<Vec<String>, Self> {
        let (plan, at) = (catalog.as_plan()?, in_range(self, at.into())?);
        let Some(user) = self.user(user).map_err(EvalError::Store)? else { return Ok(Vec::new()) };
        let holds = self.answer_user(&plan, user, at).map_err(EvalError::Store)?;
        Ok(plan.segments().zip(holds).filter(|(_, holds)| *holds).map(|(name, _)| name.to_owned()).collect())
    }

    /// The users of the universe at an instant: everyone first seen by then.
    fn everyone(&self, at: impl Into<Timestamp>) -> Answer<Members<'_, Self>, Self> {
        let at = in_range(self, at.into())?;
        Ok(Members::new(self, self.universe(at).map_err(EvalError::Store)?))
    }

    /// Users by their numbers, with the way to their external ids: those whom a [campaign](crate::Campaign) keeps,
    /// the members of a [live](crate::Live) segment.
    ///
    /// ```
    /// use whodid::{Evaluate, Event, Ingest, MemoryStore, Timestamp, did, exclusive};
    ///
    /// let at: Timestamp = "2026-06-15T12:00:00Z".parse()?;
    /// let mut store = MemoryStore::new();
    /// store.record(Event::new("ada", "limit_hit", at))?;
    /// let snapshot = store.snapshot();
    ///
    /// let settled = exclusive([("upgrade", snapshot.members(&did("limit_hit"), at)?)], 1)?;
    /// for campaign in settled.campaigns() {
    ///     assert_eq!(snapshot.users(campaign.members()).ids().collect::<Vec<_>>(), ["ada"]);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn users(&self, numbers: &RoaringBitmap) -> Members<'_, Self> {
        Members::new(self, numbers.clone())
    }

    /// The external id of a user; `None` where the store has no such user.
    ///
    /// # Errors
    /// The store cannot be read.
    fn external_id(&self, user: UserId) -> Result<Option<String>, Self::Error> {
        self.users(&RoaringBitmap::from([user.number()])).try_ids().next().transpose()
    }

    /// The exact measured number of every user at an instant: a trait, such as what each spent in 90 days.
    fn measure(&self, measured: impl Into<Measured>, at: impl Into<Timestamp>) -> Answer<Numbers, Self> {
        let (measure, at) = (Measure::valid(&measured.into())?, in_range(self, at.into())?);
        let mut some = Vec::new();
        self.numbers(&[&measure], at, Among::Everyone, &mut |user, numbers| {
            some.extend(
                numbers.first().filter(|number| !number.is_zero()).map(|number| (user, number.clone())),
            );
        })
        .map_err(EvalError::Store)?;
        Ok(Numbers::new(self.universe(at).map_err(EvalError::Store)?, some))
    }

    /// The exact measured number of one user at an instant; `None` of one who is not in the universe then.
    fn measure_of(
        &self,
        user: &str,
        measured: impl Into<Measured>,
        at: impl Into<Timestamp>,
    ) -> Answer<Option<ExactSum>, Self> {
        let (measure, at) = (Measure::valid(&measured.into())?, in_range(self, at.into())?);
        let Some(user) = self.user(user).map_err(EvalError::Store)? else { return Ok(None) };
        let mut is_seen = false;
        self.seen(Among::User(user), &mut |who, first| is_seen |= who == user && first <= at)
            .map_err(EvalError::Store)?;
        let mut number = ExactSum::ZERO;
        self.numbers(&[&measure], at, Among::User(user), &mut |who, numbers| {
            if let (true, Some(found)) = (who == user, numbers.first()) {
                number = found.clone();
            }
        })
        .map_err(EvalError::Store)?;
        Ok(is_seen.then_some(number))
    }
}

impl<S: EventStore + ?Sized> Evaluate for S {}

fn in_range<S: EventStore + ?Sized>(_store: &S, at: Timestamp) -> Answer<Timestamp, S> {
    if at.in_range() { Ok(at) } else { Err(EvalError::At(at)) }
}

/// The plan of one segment, and the instant.
fn one<'q, S: EventStore + ?Sized>(
    store: &S,
    segment: &'q (impl AsPlan + ?Sized),
    at: Timestamp,
) -> Answer<(Cow<'q, Plan>, Timestamp), S> {
    let plan = segment.as_plan()?;
    let count = plan.segments().len();
    match count {
        1 => Ok((plan, in_range(store, at)?)),
        _ => Err(EvalError::NotOneSegment(count)),
    }
}
