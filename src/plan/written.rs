//! Leaves and measures back in their written form: for printing, and for telling why.

use super::chain::Chain;
use super::leaf::Leaf;
use super::matcher::Matcher;
use super::measure::{Behaviour, Measure};
use crate::segment::{self, Attribute, Changed, Did, EventMatch, Measured, Segment, Sequence, Step, ThenNot};

impl Matcher {
    fn written(&self) -> EventMatch {
        EventMatch { events: self.events().to_vec(), filter: self.filter().cloned() }
    }
}

impl Leaf {
    /// What it asks, as a segment.
    pub fn to_segment(&self) -> Segment {
        match self {
            Self::Did(behaviour) => Segment::Did(behaviour.written_out()),
            Self::Sequence(chain) => Segment::Sequence(chain.written_out()),
            Self::Attribute(test) => Segment::Attribute(Attribute {
                name: test.name.clone(),
                test: test.test.clone(),
                held: test.held,
            }),
            Self::Changed(change) => Segment::Changed(Changed {
                name: change.name.clone(),
                from: change.from.clone(),
                to: change.to.clone(),
                window: change.scope.window().cloned(),
            }),
            Self::Seen(window) => Segment::Seen(window.clone()),
            Self::List(list) => Segment::List(list.name.clone()),
            Self::Sample(share) => Segment::Sample(share.written.clone()),
        }
    }
}

impl Behaviour {
    fn written_out(&self) -> Did {
        let of_one = matches!(self.measure, segment::Measure::First(_) | segment::Measure::Latest(_));
        Did {
            events: self.matcher.written(),
            window: if of_one { None } else { self.scope.window().cloned() },
            measure: self.measure.clone(),
            same: self.same.clone(),
        }
    }
}

impl Chain {
    fn written_out(&self) -> Sequence {
        let events = |matcher: u32| self.matchers[matcher as usize].written();
        let step = |step: &super::chain::Link| Step {
            events: events(step.matcher),
            within: step.within,
            after: step.after,
            without: step.without.map(events),
        };
        Sequence {
            steps: self.steps.iter().map(step).collect(),
            within: self.within,
            window: self.scope.window().cloned(),
            then_not: self.then_not.map(|(matcher, within)| ThenNot { events: events(matcher), within }),
            same: self.same.clone(),
        }
    }
}

impl Measure {
    /// What it measures, as written.
    pub fn to_measured(&self) -> Measured {
        Measured {
            events: self.matcher.written(),
            window: self.scope.window().cloned(),
            quantity: self.quantity.clone(),
        }
    }
}
