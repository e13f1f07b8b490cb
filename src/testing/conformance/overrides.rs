//! What a store overrides, held against what it inherits.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use super::super::{Inherited, Scenario, catalog};
use super::contract::{Store, done};
use crate::plan::{ExactSum, Plan};
use crate::store::{Among, EventStore, UserId};
use crate::time::Timestamp;

/// Whether what a store overrides answers as what it inherits does.
pub(super) fn overrides<S: Store>(store: &S, scenario: &Scenario) -> Result<(), String> {
    let plain = Inherited(store);
    let catalog = catalog(&scenario.named);
    for (at, segment) in &scenario.checks {
        let Ok(plan) = catalog.plan_of(segment) else { continue };
        let universe = done(store.universe(*at), "universe");
        let half: RoaringBitmap = universe.iter().filter(|user| user % 2 == 0).collect();
        let one = universe.min().map(|user| Among::User(UserId::new(user)));
        for among in [Some(Among::Everyone), Some(Among::Users(&half)), one].into_iter().flatten() {
            let differs = |what: &str| Err(format!("{what} of {plan} at {at} among {among:?} differs"));
            if !resolved_alike(store, &plain, &plan, *at, among) {
                return differs("resolve");
            }
            if !measured_alike(store, &plain, &plan, *at, among) {
                return differs("numbers");
            }
            let answers =
                |set: &RoaringBitmap| set.iter().filter(|u| among.contains(UserId::new(*u))).collect();
            let sets = |sets: Vec<RoaringBitmap>| sets.iter().map(answers).collect::<Vec<BTreeSet<u32>>>();
            let (own, inherited) = (store.answer(&plan, *at, among), plain.answer(&plan, *at, among));
            if sets(done(own, "answer")) != sets(done(inherited, "answer")) {
                return differs("answer");
            }
        }
        let (own, inherited) = (store.answer_counts(&plan, *at), plain.answer_counts(&plan, *at));
        if done(own, "answer_counts") != done(inherited, "answer_counts") {
            return Err(format!("answer_counts of {plan} at {at} differs"));
        }
        for user in universe.iter().map(UserId::new) {
            let (own, inherited) = (store.answer_user(&plan, user, *at), plain.answer_user(&plan, user, *at));
            if done(own, "answer_user") != done(inherited, "answer_user") {
                return Err(format!("answer_user of {plan} at {at} for {user:?} differs"));
            }
        }
    }
    Ok(())
}

fn resolved_alike<S: Store>(
    store: &S,
    plain: &Inherited<&S>,
    plan: &Plan,
    at: Timestamp,
    among: Among<'_>,
) -> bool {
    let leaves: Vec<_> = plan.leaves().iter().collect();
    let (own, inherited) = (store.resolve(&leaves, at, among), plain.resolve(&leaves, at, among));
    done(own, "resolve") == done(inherited, "resolve")
}

fn measured_alike<S: Store>(
    store: &S,
    plain: &Inherited<&S>,
    plan: &Plan,
    at: Timestamp,
    among: Among<'_>,
) -> bool {
    let measures: Vec<_> = plan.measures().iter().collect();
    let mut found = [BTreeMap::new(), BTreeMap::new()];
    let [own, inherited] = &mut found;
    let keep = |into: &mut BTreeMap<UserId, Vec<_>>, user, numbers: &[ExactSum]| {
        if among.contains(user) && numbers.iter().any(|number| !number.is_zero()) {
            into.insert(user, numbers.to_vec());
        }
    };
    done(store.numbers(&measures, at, among, &mut |user, numbers| keep(own, user, numbers)), "numbers");
    let inherit = plain.numbers(&measures, at, among, &mut |user, numbers| keep(inherited, user, numbers));
    done(inherit, "numbers");
    let [own, inherited] = found;
    own == inherited
}
