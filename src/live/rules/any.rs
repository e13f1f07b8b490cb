//! Any of the rules.

use serde::{Deserialize, Serialize};

use super::{Dwell, FrequencyCap, LiveExclusion, Once, OncePer, QuietHours, Reentry, Rule, Signal};
use crate::time::Timestamp;

/// Any of the rules, so that a row that a configuration names is plain data as a whole: a `Vec<AnyRule>`.
///
/// In JSON a rule that remembers nothing yet is what it was made from.
///
/// ```
/// use whodid::live::rules::{AnyRule, Dwell, FrequencyCap, QuietHours};
/// use whodid::{days, hours};
///
/// let row: Vec<AnyRule> = serde_json::from_str(
///     r#"[
///         {"dwell": {"least": "1h"}},
///         {"quiet_hours": {"from": "22:00", "until": "08:00"}},
///         {"frequency_cap": {"most": 1, "per": "2d"}}
///     ]"#,
/// )?;
/// let quiet = QuietHours::new("22:00".parse()?, "08:00".parse()?);
/// assert_eq!(row, [Dwell::new(hours(1)).into(), quiet.into(), FrequencyCap::new(1, days(2)).into()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnyRule {
    /// `{"once": {}}`
    Once(Once),
    /// `{"once_per": {"period": "30d"}}`
    OncePer(OncePer),
    /// `{"reentry": {"after": "7d"}}`
    Reentry(Reentry),
    /// `{"frequency_cap": {"most": 1, "per": "2d"}}`
    FrequencyCap(FrequencyCap),
    /// `{"dwell": {"least": "1h"}}`
    Dwell(Dwell),
    /// `{"quiet_hours": {"from": "22:00", "until": "08:00", "unless_left": true}}`
    QuietHours(QuietHours),
    /// `{"live_exclusion": {"campaigns": ["high", "low"], "per_user": 1}}`
    LiveExclusion(LiveExclusion),
}

impl Rule for AnyRule {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        self.rule_mut().take(signal)
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        self.rule_mut().pass(to)
    }

    fn wake(&self) -> Option<Timestamp> {
        self.rule().wake()
    }

    fn forget(&mut self, id: &str) {
        self.rule_mut().forget(id);
    }

    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        self.rule_mut().merge(from, into, at)
    }
}

macro_rules! each {
    ($($rule:ident)*) => {
        impl AnyRule {
            fn rule(&self) -> &dyn Rule {
                match self {
                    $(Self::$rule(rule) => rule,)*
                }
            }

            fn rule_mut(&mut self) -> &mut dyn Rule {
                match self {
                    $(Self::$rule(rule) => rule,)*
                }
            }
        }

        $(impl From<$rule> for AnyRule {
            fn from(rule: $rule) -> Self {
                Self::$rule(rule)
            }
        })*
    };
}

each!(Once OncePer Reentry FrequencyCap Dwell QuietHours LiveExclusion);
