//! One person's year in the product.

use serde_json::{Value, json};

use super::{DAY, DAYS, Dice, HOUR, MINUTE, START, Sent, instant, send};

/// How people take to the product.
#[derive(Clone, Copy, PartialEq)]
enum Temper {
    /// Signs up and never starts.
    Absent,
    /// Uses the trial and leaves.
    Trying,
    Casual,
    Steady,
    Power,
    /// Steady, then less and less.
    Fading,
    /// Steady, away for a while, back again.
    Returning,
}

const TEMPERS: [(Temper, i64); 7] = [
    (Temper::Absent, 150),
    (Temper::Trying, 260),
    (Temper::Casual, 230),
    (Temper::Steady, 180),
    (Temper::Power, 50),
    (Temper::Fading, 90),
    (Temper::Returning, 40),
];
const FEATURES: [&str; 7] = ["board", "timeline", "automation", "report", "api", "forms", "export"];
const ROLES: [&str; 5] = ["founder", "engineer", "manager", "designer", "marketer"];
/// Countries and how many hours before UTC their mornings are.
const COUNTRIES: [(&str, i64); 6] = [("US", -5), ("DE", 1), ("GB", 0), ("IN", 5), ("BR", -3), ("NL", 1)];
const PLANS: [(&str, i64); 3] = [("starter", 19), ("team", 79), ("business", 249)];

pub struct Person {
    id: String,
    device: String,
    dice: Dice,
    temper: Temper,
    country: (&'static str, i64),
    signed_up: i64,
    trial_ends: i64,
    /// Index into `PLANS`; none while on trial or after cancelling.
    plan: Option<usize>,
    paid_until: i64,
    /// Whether the trial has ended, one way or the other.
    decided: bool,
    favourites: [&'static str; 3],
    projects: i64,
}

impl Person {
    pub fn new(number: u64) -> Self {
        let mut dice = Dice(number.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5eed);
        // The product grows: of two days drawn, the later one.
        let day = dice.between(0, DAYS).max(dice.between(0, DAYS));
        let country = dice.pick(&COUNTRIES);
        let signed_up = START + day * DAY + (9 - country.1) * HOUR + dice.between(0, 9 * 60) * MINUTE;
        let signed_up = signed_up.min(START + DAYS * DAY - HOUR);
        let mut left = dice.between(0, TEMPERS.iter().map(|(_, weight)| weight).sum());
        let among = |left: &mut i64, weight: i64| std::mem::replace(left, *left - weight) < weight;
        let temper =
            TEMPERS.iter().find(|(_, weight)| among(&mut left, *weight)).map_or(Temper::Casual, |t| t.0);
        let favourites = [(); 3].map(|()| dice.pick(&FEATURES));
        Self {
            id: format!("u{number:04}"),
            device: format!("dev-{:06x}", dice.roll() & 0xff_ffff),
            dice,
            temper,
            country,
            signed_up,
            trial_ends: signed_up + 14 * DAY,
            plan: None,
            paid_until: 0,
            decided: false,
            favourites,
            projects: 0,
        }
    }

    pub fn live(mut self, sent: &mut Sent) {
        self.sign_up(sent);
        let first = (self.signed_up - START) / DAY;
        for day in first..DAYS {
            let morning = START + day * DAY + (9 - self.country.1) * HOUR;
            let at = morning.max(self.signed_up + 2 * MINUTE) + self.dice.between(0, 8 * 60) * MINUTE;
            if at >= START + DAYS * DAY {
                break;
            }
            if self.comes(day - first, day) {
                self.session(at, sent);
            }
            self.billing(at, sent);
            self.mail(at, day, sent);
        }
    }

    fn sign_up(&mut self, sent: &mut Sent) {
        let at = self.signed_up;
        if self.dice.chance(700) {
            let before = at - self.dice.between(5, 3 * 24 * 60) * MINUTE;
            let page = self.dice.pick(&["Home", "Pricing", "Blog"]);
            send(sent, before.max(START), json!({"type":"page","anonymousId":self.device,"name":page}));
        }
        let traits = json!({"plan":"trial","role":self.dice.pick(&ROLES),"country":self.country.0,
            "company_size":self.dice.pick(&[1,3,8,20,60,250]),"signed_up_at":instant(at),
            "trial_ends_at":instant(self.trial_ends)});
        let who = json!({"type":"identify","userId":self.id,"anonymousId":self.device,"traits":traits});
        send(sent, at, who);
        let source = self.dice.pick(&["ads", "search", "friend", "blog"]);
        self.track(sent, at + 1_000, "signed_up", json!({"source":source}));
    }

    /// Whether today is a day in the product.
    fn comes(&mut self, age: i64, day: i64) -> bool {
        // 2025-07-01 was a Tuesday.
        let weekend = matches!((day + 1) % 7, 5 | 6);
        let often = match self.temper {
            Temper::Absent => {
                if age == 0 {
                    300
                } else {
                    2
                }
            }
            Temper::Trying => {
                if age < 12 {
                    260
                } else {
                    3
                }
            }
            Temper::Casual => 45,
            Temper::Steady => 150,
            Temper::Power => 420,
            Temper::Fading => (230 - age * 3 / 2).max(2),
            Temper::Returning => {
                if (40..110).contains(&(age % 150)) {
                    2
                } else {
                    140
                }
            }
        };
        let settled = self.plan.is_some() || age < 30 || self.temper == Temper::Power;
        let often = if settled { often } else { often / 3 };
        let often = if age == 0 { often.max(500) } else { often };
        self.dice.chance(if weekend { often / 4 } else { often })
    }

    fn session(&mut self, mut at: i64, sent: &mut Sent) {
        let platform = if self.dice.chance(220) { "mobile" } else { "web" };
        self.track(sent, at, "logged_in", json!({"platform":platform}));
        if self.temper == Temper::Absent {
            return;
        }
        let deeds = match self.temper {
            Temper::Power => self.dice.between(2, 6),
            _ => self.dice.between(1, 4),
        };
        for _ in 0..deeds {
            at += self.dice.between(1, 25) * MINUTE + self.dice.between(0, 60_000);
            self.deed(at, sent);
        }
    }

    fn deed(&mut self, at: i64, sent: &mut Sent) {
        match self.dice.between(0, 100) {
            0..14 if self.projects < 12 => {
                self.projects += 1;
                self.track(sent, at, "project_created", json!({"template":self.projects % 3 == 0}));
            }
            0..62 => {
                let feature = self.dice.pick(&self.favourites.clone());
                let report = self.dice.between(1, 4);
                let about = match feature {
                    "report" => json!({"feature":feature,"report_id":format!("r{report}")}),
                    _ => json!({"feature":feature}),
                };
                self.track(sent, at, "feature_used", about);
            }
            62..82 => {
                let minutes = self.dice.between(1, 240);
                self.track(sent, at, "task_completed", json!({ "minutes": minutes }));
            }
            82..87 => {
                let mate = format!("mate{}@{}.example", self.dice.between(0, 30), self.id);
                self.track(sent, at, "teammate_invited", json!({"invitee":mate}));
            }
            87..90 => {
                let app = self.dice.pick(&["slack", "github", "calendar", "drive"]);
                self.track(sent, at, "integration_connected", json!({"app":app}));
            }
            90..93 if self.plan.is_none_or(|plan| plan < 2) => {
                let limit = self.dice.pick(&["projects", "storage", "automations"]);
                self.track(sent, at, "usage_limit_hit", json!({"limit":limit}));
                self.look_at_upgrade(at + MINUTE, sent);
            }
            93..95 => self.track(sent, at, "support_ticket_opened", json!({"topic":"how to"})),
            95..97 => {
                let score = self.dice.between(2, 11);
                self.track(sent, at, "survey_answered", json!({"score":score}));
            }
            97..99 => send(sent, at, json!({"type":"page","userId":self.id,"name":"Pricing"})),
            _ => self.look_at_upgrade(at, sent),
        }
    }

    fn look_at_upgrade(&mut self, at: i64, sent: &mut Sent) {
        let next = self.plan.map_or(0, |plan| plan + 1);
        if next >= PLANS.len() || !self.dice.chance(450) {
            return;
        }
        send(sent, at, json!({"type":"page","userId":self.id,"name":"Pricing"}));
        self.track(sent, at + MINUTE, "upgrade_started", json!({"plan":PLANS[next].0}));
        if self.dice.chance(550) {
            self.subscribe(next, at + 4 * MINUTE, sent);
        }
    }

    fn subscribe(&mut self, plan: usize, at: i64, sent: &mut Sent) {
        (self.plan, self.decided) = (Some(plan), true);
        let traits = json!({"plan":PLANS[plan].0,"seats":self.dice.between(1, 20),"trial_ends_at":null,
            "renews_at":instant(at + 30 * DAY)});
        self.track(sent, at, "upgrade_completed", json!({"plan":PLANS[plan].0}));
        send(sent, at + 1_000, json!({"type":"identify","userId":self.id,"traits":traits}));
        self.pay(at + 2_000, sent);
    }

    fn pay(&mut self, at: i64, sent: &mut Sent) {
        let Some(plan) = self.plan else { return };
        self.paid_until = at + 30 * DAY;
        // Every third country pays in whole units, the others to the cent.
        let amount =
            if self.country.1 == 1 { json!(PLANS[plan].1) } else { json!(PLANS[plan].1 as f64 - 0.05) };
        self.track(sent, at, "invoice_paid", json!({"amount":amount,"currency":"EUR"}));
    }

    fn billing(&mut self, at: i64, sent: &mut Sent) {
        if !self.decided && at >= self.trial_ends {
            self.decided = true;
            let keen = match self.temper {
                Temper::Absent => 0,
                Temper::Trying => 20,
                Temper::Casual => 230,
                Temper::Power => 900,
                _ => 600,
            };
            if self.dice.chance(keen) {
                let plan = usize::from(self.dice.chance(300)) + usize::from(self.dice.chance(60));
                self.track(sent, at, "upgrade_started", json!({"plan":PLANS[plan].0}));
                self.subscribe(plan, at + 3 * MINUTE, sent);
            } else {
                let traits = json!({"plan":"free","trial_ends_at":null});
                send(sent, at, json!({"type":"identify","userId":self.id,"traits":traits}));
            }
        }
        if self.plan.is_some() && at > self.paid_until {
            let leaves = match self.temper {
                Temper::Fading => 260,
                Temper::Casual => 110,
                _ => 25,
            };
            if self.dice.chance(leaves) {
                self.cancel(at, sent);
            } else {
                self.pay(at, sent);
                let traits = json!({"renews_at":instant(at + 30 * DAY)});
                send(sent, at + 1_000, json!({"type":"identify","userId":self.id,"traits":traits}));
            }
        }
    }

    fn cancel(&mut self, at: i64, sent: &mut Sent) {
        let lower = self.plan.and_then(|plan| plan.checked_sub(1)).filter(|_| self.dice.chance(400));
        self.plan = lower;
        let name = lower.map_or("free", |plan| PLANS[plan].0);
        let event = if lower.is_some() { "plan_downgraded" } else { "subscription_cancelled" };
        let reason = self.dice.pick(&["price", "missing feature", "unused"]);
        self.track(sent, at, event, json!({ "reason": reason }));
        let renews = lower.map_or(Value::Null, |_| json!(instant(at + 30 * DAY)));
        let traits = json!({"plan":name,"renews_at":renews});
        send(sent, at + 1_000, json!({"type":"identify","userId":self.id,"traits":traits}));
        self.paid_until = at + 30 * DAY;
    }

    /// A newsletter every other week.
    fn mail(&mut self, at: i64, day: i64, sent: &mut Sent) {
        if day % 14 == 3 && self.dice.chance(260) {
            let issue = format!("news-{}", day / 14);
            self.track(sent, at, "email_opened", json!({"campaign":issue}));
            if self.dice.chance(200) {
                self.track(sent, at + 40_000, "email_clicked", json!({"campaign":issue}));
            }
        }
    }

    fn track(&mut self, sent: &mut Sent, at: i64, event: &str, properties: Value) {
        let id = &self.id;
        send(sent, at, json!({"type":"track","userId":id,"event":event,"properties":properties}));
    }
}
