//! Who gets which campaign: segments from a JSON file, over a product's year, settled by priority.
//!
//! ```text
//! cargo run --release --example campaigns
//! cargo run --release --example campaigns -- facts.ndjson.gz segments.json --at 2026-07-01T00:00:00Z \
//!     --campaigns trial_ending,win_back --among mailable --instants trial_ends_at,renews_at --per-user 1
//! ```
//!
//! Facts are messages in the Segment spec, one a line, gzip-compressed or not. Without arguments it reads the made-up
//! year that `simulate_saas` wrote.

use std::error::Error;
use std::fs::File;

use whodid::{Answers, Catalog, Evaluate, Importer, MemoryStore, Snapshot, Timestamp, exclusive, sample};

/// What is asked for, with what the bundled sample asks.
struct Asked {
    facts: String,
    segments: String,
    at: Timestamp,
    /// Names of segments, the highest priority first.
    campaigns: Vec<String>,
    /// Attributes and properties that hold instants, which JSON has none of.
    instants: Vec<String>,
    /// The segment of those whom campaigns may reach.
    among: String,
    per_user: u32,
}

impl Asked {
    fn from_args(args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let names = |list: &str| list.split(',').map(str::to_owned).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/campaigns");
        let mut asked = Self {
            facts: format!("{folder}/year.ndjson.gz"),
            segments: format!("{folder}/segments.json"),
            at: "2026-07-01T00:00:00Z".parse()?,
            campaigns: names(
                "trial_ends_within_3_days,abandoned_upgrade,hit_usage_limit,use_halved,silent_14_days",
            ),
            instants: names("signed_up_at,trial_ends_at,renews_at"),
            among: "mailable".to_owned(),
            per_user: 1,
        };
        let (mut args, mut places) = (args, Vec::new());
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--at" => asked.at = value()?.parse()?,
                "--campaigns" => asked.campaigns = names(&value()?),
                "--instants" => asked.instants = names(&value()?),
                "--among" => asked.among = value()?,
                "--per-user" => asked.per_user = value()?.parse()?,
                _ => places.push(arg),
            }
        }
        match <[String; 2]>::try_from(places) {
            Ok([facts, segments]) => (asked.facts, asked.segments) = (facts, segments),
            Err(none) if none.is_empty() => {}
            Err(some) => return Err(format!("given {some:?}, expected facts and segments").into()),
        }
        Ok(asked)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Asked::from_args(std::env::args().skip(1))?;
    let catalog = Catalog::from_json(&std::fs::read_to_string(&asked.segments)?)?;
    let mut store = MemoryStore::new();
    let report = Importer::segment_spec()
        .instants(&asked.instants)
        .skip_rejected()
        .read(File::open(&asked.facts)?, &mut store)?;
    println!("{report}\n");

    let snapshot = store.snapshot();
    let answers = snapshot.evaluate(&catalog, asked.at)?;
    let universe = snapshot.everyone(asked.at)?;
    println!("{} users at {}, and {} segments of them:\n", universe.len(), asked.at, answers.len());
    println!("{:28} {:>6} {:>7}  for example", "segment", "users", "share");
    for (name, members) in answers.iter() {
        let examples: Vec<String> = members.ids().take(3).collect();
        let (users, share) = (members.len(), share(members.len(), universe.len()));
        println!("{name:28} {users:>6} {share:>7}  {}", examples.join(" "));
    }
    campaigns(&asked, &snapshot, &answers)
}

/// Settles the campaigns: a tenth of everybody gets none, the others the first that is for them.
fn campaigns(
    asked: &Asked,
    snapshot: &Snapshot,
    answers: &Answers<'_, Snapshot>,
) -> Result<(), Box<dyn Error>> {
    let wanted = |name: &String| answers.get(name).ok_or(format!("no segment is named {name:?}"));
    let among = wanted(&asked.among)?;
    let split = sample("holdout 2026-07", 0..10).split(among.bitmap().iter().zip(among.ids()))?;
    let mut audiences = Vec::new();
    for name in &asked.campaigns {
        audiences.push((name, wanted(name)?.bitmap() & &split.outside));
    }
    let settled = exclusive(audiences.iter().map(|(name, set)| (*name, set)), asked.per_user)?;

    let (reached, held) = (split.outside.len(), split.inside.len());
    println!(
        "\n{} campaigns, the first the highest, at most {} a user;",
        asked.campaigns.len(),
        asked.per_user
    );
    println!("{reached} users can be reached, {held} more are held out to compare with:\n");
    println!(
        "{:28} {:>6} {:>7} {:>6} {:>6}  {:24}  lost to",
        "campaign", "for", "share", "kept", "lost", "kept, for example"
    );
    for campaign in settled.campaigns() {
        let (name, kept, lost) = (campaign.name(), campaign.members(), campaign.lost());
        let audience = kept.len() + lost.len();
        let examples: Vec<String> = snapshot.users(kept).ids().take(3).collect();
        let takers: Vec<String> =
            settled.lost_to(name).map(|(who, taken)| format!("{who} {taken}")).collect();
        let numbers =
            format!("{audience:>6} {:>7} {:>6} {:>6}", share(audience, reached), kept.len(), lost.len());
        let line = format!("{name:28} {numbers}  {:24}  {}", examples.join(" "), takers.join(", "));
        println!("{}", line.trim_end());
    }
    Ok(())
}

/// A share in percent.
fn share(part: u64, whole: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}
