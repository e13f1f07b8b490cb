//! Campaigns: segments in order of priority, of which a user is in one at most, the first that wants it.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use whodid::live::rules::{LiveExclusion, Rule, Signal};
use whodid::{EventStore, Ingest, Live, Movement, PriorityError, Transition};

use super::Backend;
use super::answer::{Answer, bad, unknown};
use super::told::Told;

/// Who is in which campaign, and what has been told of that.
pub struct Campaigns {
    rule: LiveExclusion,
    /// The highest first.
    members: Vec<(String, BTreeSet<String>)>,
    pub told: Told<Signal>,
}

impl Campaigns {
    /// Of segments by name, the highest first; with those who are in them already.
    pub fn new(names: &[String], live: &Live, told: Told<Signal>) -> Result<Self, PriorityError> {
        let rule = LiveExclusion::new(names, 1)?;
        let members = names.iter().map(|name| (name.clone(), BTreeSet::new())).collect();
        let mut campaigns = Self { rule, members, told };
        for name in names {
            let Some(members) = live.members(name) else { continue };
            let Ok(()) = live.snapshot().ids(&members, &mut |_, id| {
                let held = campaigns.rule.take(Signal::new(&**name, id, Movement::Entered, live.now()));
                debug_assert!(held.is_empty(), "an instant is told as a whole");
            });
        }
        let inside = campaigns.rule.pass(live.now());
        inside.iter().for_each(|signal| campaigns.follow(signal));
        Ok(campaigns)
    }

    /// By name, the highest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// Lets the campaigns follow what has changed: all that changes in an instant is told by one call. Of a merge it is told that
    /// one id leaves and the other enters, so that who keeps lists of ids keeps the right ones; who sends mails lets rules
    /// follow the engine (`Rule::follow`), to which both are one.
    pub fn take(&mut self, transitions: &[Transition]) {
        let Some(last) = transitions.last() else { return };
        let mut signals = Vec::new();
        for transition in transitions {
            if self.of(&transition.segment).is_some() {
                signals.extend(self.rule.take(Signal::from(transition)));
            }
        }
        signals.extend(self.rule.pass(last.at));
        signals.iter().for_each(|signal| self.follow(signal));
        self.told.add(signals);
    }

    fn follow(&mut self, signal: &Signal) {
        let Some((_, ids)) = self.members.iter_mut().find(|(name, _)| *name == signal.segment) else {
            return;
        };
        match signal.movement {
            Movement::Entered => ids.insert(signal.id.clone()),
            Movement::Left => ids.remove(&signal.id),
        };
    }

    /// The members of a campaign.
    fn of(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.members.iter().find(|(campaign, _)| campaign == name).map(|(_, ids)| ids)
    }
}

/// All campaigns, the highest first.
pub async fn list(State(backend): State<Backend>) -> Json<Value> {
    let engine = backend.lock();
    let one = |(name, ids): &(String, BTreeSet<String>)| json!({ "campaign": name, "members": ids.len() });
    Json(engine.campaigns.members.iter().map(one).collect())
}

/// Who is in a campaign, and the id of the last event that is part of this.
pub async fn members(State(backend): State<Backend>, Path(name): Path<String>) -> Answer {
    let engine = backend.lock();
    let ids = engine.campaigns.of(&name).ok_or_else(|| unknown("campaign", &name))?;
    Ok(Json(json!({ "last_event_id": engine.campaigns.told.position(), "count": ids.len(), "ids": ids })))
}

/// The campaign that keeps a user, by any id that names it.
pub async fn of_user(State(backend): State<Backend>, Path(id): Path<String>) -> Answer {
    let mut engine = backend.lock();
    let id = engine.live.feed().current_id(&id).map_err(bad)?.into_owned();
    Ok(Json(json!({ "id": id, "kept": engine.campaigns.rule.kept(&id).collect::<Vec<_>>() })))
}
