//! What of a test moves with `T`, and what it is at one `T`.

use crate::plan::anniversary::{Anniversary, MonthDays};
use crate::plan::bounds::Bounds;
use crate::plan::presence::Presence;
use crate::window::Window;

/// What of a test or filter moves with `T`; tests refer to it by its place.
#[derive(Clone, Debug)]
pub(crate) enum Moving {
    Within(Window),
    Anniversary(Anniversary),
}

/// Everything [`Moving`] of one test or filter, at one `T`.
pub(crate) type Resolved = Vec<Instants>;

/// The instants that pass at one `T`.
#[derive(Clone, Debug)]
pub(crate) enum Instants {
    Range(Bounds),
    Anniversaries(MonthDays),
}

pub(crate) fn resolve(moving: &[Moving], t: i64) -> Resolved {
    let resolve = |moving: &Moving| match moving {
        Moving::Within(window) => Instants::Range(Bounds::of_values(window, t)),
        Moving::Anniversary(anniversary) => Instants::Anniversaries(anniversary.at(t)),
    };
    moving.iter().map(resolve).collect()
}

impl Moving {
    /// The next `T` after `t` at which the outcome for an instant may be another; never too late.
    pub(super) fn next_change(&self, instant: i64, t: i64) -> Option<i64> {
        match self {
            Self::Within(window) => Presence::of_value(window, instant).next_change(t),
            Self::Anniversary(anniversary) => Some(anniversary.next_change(instant, t)),
        }
    }
}

impl Instants {
    pub(super) fn contains(&self, instant: i64) -> bool {
        match self {
            Self::Range(bounds) => bounds.contains(instant),
            Self::Anniversaries(days) => days.contains(instant),
        }
    }
}
