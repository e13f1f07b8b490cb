//! What is measured of a behaviour, as the types of [`Behavior`](super::Behavior) keep account of it.

use chrono_tz::Tz;

use super::windows::sealed::Sealed;
use crate::segment::{Measure, Quantity, Range};
use crate::time::Unit;

/// The number of times: what is measured until something else is named.
#[derive(Clone, Copy, Debug)]
pub struct Times;

/// The sum of a property.
#[derive(Clone, Debug)]
pub struct Sum(pub(super) String);

/// The mean, the smallest or the largest of a property's numbers.
#[derive(Clone, Debug)]
pub struct Statistic {
    pub(super) of: String,
    pub(super) measure: fn(String, Range) -> Measure,
}

/// The number of distinct values of a property.
#[derive(Clone, Debug)]
pub struct Distinct(pub(super) String);

/// The number of distinct calendar units with an event.
#[derive(Clone, Copy, Debug)]
pub struct Active {
    pub(super) unit: Unit,
    pub(super) tz: Tz,
}

/// What a [`Behavior`](super::Behavior) can carry as its measure.
pub trait MeasureState: Sealed {
    #[doc(hidden)]
    fn use_zone(&mut self, _: Tz) {}
}

/// A measure that a range can be held against.
pub trait Measuring: MeasureState {
    #[doc(hidden)]
    fn held_against(self, range: Range) -> Measure;
}

/// A measure that is a number by itself, 0 where nothing matches: what a score can multiply and a trait can read.
pub trait Quantified: MeasureState {
    #[doc(hidden)]
    fn quantity(self) -> Quantity;
}

macro_rules! sealed {
    ($($state:ty),*) => {$( impl Sealed for $state {} )*};
}

sealed!(Times, Sum, Statistic, Distinct, Active, Measure);

impl MeasureState for Times {}
impl MeasureState for Sum {}
impl MeasureState for Statistic {}
impl MeasureState for Distinct {}

impl MeasureState for Active {
    fn use_zone(&mut self, zone: Tz) {
        self.tz = zone;
    }
}

impl MeasureState for Measure {
    fn use_zone(&mut self, zone: Tz) {
        if let Self::Active { tz, .. } = self {
            *tz = zone;
        }
    }
}

impl Measuring for Times {
    fn held_against(self, range: Range) -> Measure {
        Measure::Times(range)
    }
}

impl Measuring for Sum {
    fn held_against(self, range: Range) -> Measure {
        Measure::Sum { of: self.0, range }
    }
}

impl Measuring for Statistic {
    fn held_against(self, range: Range) -> Measure {
        (self.measure)(self.of, range)
    }
}

impl Measuring for Distinct {
    fn held_against(self, range: Range) -> Measure {
        Measure::Distinct { of: self.0, range }
    }
}

impl Measuring for Active {
    fn held_against(self, range: Range) -> Measure {
        Measure::Active { unit: self.unit, tz: self.tz, range }
    }
}

impl Measuring for Measure {
    fn held_against(mut self, new: Range) -> Measure {
        match &mut self {
            Self::Times(range)
            | Self::Sum { range, .. }
            | Self::Avg { range, .. }
            | Self::Min { range, .. }
            | Self::Max { range, .. }
            | Self::Distinct { range, .. }
            | Self::Active { range, .. } => *range = range.and(new),
            Self::First(_) | Self::Latest(_) | Self::FirstValue { .. } | Self::LatestValue { .. } => {}
        }
        self
    }
}

impl Quantified for Times {
    fn quantity(self) -> Quantity {
        Quantity::Times
    }
}

impl Quantified for Sum {
    fn quantity(self) -> Quantity {
        Quantity::Sum(self.0)
    }
}

impl Quantified for Distinct {
    fn quantity(self) -> Quantity {
        Quantity::Distinct(self.0)
    }
}

impl Quantified for Active {
    fn quantity(self) -> Quantity {
        Quantity::Active { unit: self.unit, tz: self.tz }
    }
}
