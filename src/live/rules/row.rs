//! Rules in a row.

use super::{Rule, Signal, just_before};
use crate::live::Changes;
use crate::time::Timestamp;

/// The second behind the first.
impl<A: Rule, B: Rule> Rule for (A, B) {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let passed = just_before(signal.at);
        hand_on(self.0.take(signal), &mut self.1, passed)
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        hand_on(self.0.pass(to), &mut self.1, to)
    }

    fn wake(&self) -> Option<Timestamp> {
        self.0.wake().into_iter().chain(self.1.wake()).min()
    }

    fn forget(&mut self, id: &str) {
        self.0.forget(id);
        self.1.forget(id);
    }

    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        let mut ready = hand_on(self.0.merge(from, into, at), &mut self.1, just_before(at));
        ready.extend(self.1.merge(from, into, at));
        ready
    }
}

/// The rule in the box.
impl<R: Rule + ?Sized> Rule for Box<R> {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        (**self).take(signal)
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        (**self).pass(to)
    }

    fn wake(&self) -> Option<Timestamp> {
        (**self).wake()
    }

    fn forget(&mut self, id: &str) {
        (**self).forget(id);
    }

    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        (**self).merge(from, into, at)
    }

    fn follow(&mut self, changes: &Changes, now: Timestamp) -> Vec<Signal> {
        (**self).follow(changes, now)
    }
}

/// Each behind the one before it, as a configuration may name them; of none, signals are handed on as they are.
impl<R: Rule> Rule for Vec<R> {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let passed = just_before(signal.at);
        let Some((first, others)) = self.split_first_mut() else { return vec![signal] };
        let ready = first.take(signal);
        others.iter_mut().fold(ready, |ready, rule| hand_on(ready, rule, passed))
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        self.iter_mut().fold(Vec::new(), |ready, rule| hand_on(ready, rule, to))
    }

    fn wake(&self) -> Option<Timestamp> {
        self.iter().filter_map(R::wake).min()
    }

    fn forget(&mut self, id: &str) {
        self.iter_mut().for_each(|rule| rule.forget(id));
    }

    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        self.iter_mut().fold(Vec::new(), |ready, rule| {
            let mut ready = hand_on(ready, rule, just_before(at));
            ready.extend(rule.merge(from, into, at));
            ready
        })
    }
}

/// What a rule makes of signals, and of the time that has passed after them.
fn hand_on(signals: Vec<Signal>, rule: &mut impl Rule, passed: Timestamp) -> Vec<Signal> {
    let mut ready: Vec<Signal> = signals.into_iter().flat_map(|signal| rule.take(signal)).collect();
    ready.extend(rule.pass(passed));
    ready
}

#[cfg(test)]
mod tests {
    use super::super::tests::entered;
    use super::super::{Once, QuietHours};
    use super::*;

    #[test]
    fn the_second_of_two_rules_hears_that_time_passes_where_the_first_is_silent() {
        let mut row = (Once::default(), QuietHours::new("12:00".parse().unwrap(), "13:00".parse().unwrap()));
        assert_eq!(row.take(entered("a", -1)), [entered("a", -1)]);
        assert_eq!(row.take(entered("b", 30)), []);
        assert_eq!(row.take(entered("a", 120)), [entered("b", 60)]);
    }
}
