//! Random segments whose spans are a few ticks, or a day or a month and a few: as text, form by form.

use proptest::prelude::*;
use proptest::sample::select;
use whodid::Timestamp;

use super::scale::Scale;

type Text = BoxedStrategy<String>;

fn span(scale: Scale) -> Text {
    let often = select(&scale.spans[..5]);
    prop_oneof![4 => often, 2 => select(scale.spans)].prop_map(str::to_owned).boxed()
}

/// Two spans, the second longer.
fn two_spans(scale: Scale) -> BoxedStrategy<(&'static str, &'static str)> {
    let spans = scale.spans;
    (0..spans.len() - 1, 1..4_usize)
        .prop_map(move |(short, more)| (spans[short], spans[(short + more).min(spans.len() - 1)]))
        .boxed()
}

fn instant(scale: Scale) -> BoxedStrategy<Timestamp> {
    (-2..scale.facts).prop_map(move |tick| scale.at(tick)).boxed()
}

fn fixed(scale: Scale) -> Text {
    (instant(scale), instant(scale), 0..3_u8)
        .prop_map(move |(a, b, which)| match which {
            0 => format!(r#"{{"from":"{a}"}}"#),
            1 => format!(r#"{{"to":"{a}"}}"#),
            _ => {
                let (from, to) = (a.min(b), Timestamp::from_millis(a.max(b).millis() + scale.tick));
                format!(r#"{{"from":"{from}","to":"{to}"}}"#)
            }
        })
        .boxed()
}

fn calendar(scale: Scale, latest: i64) -> Text {
    let units = select(vec!["day", "week", "month", "quarter", "year"]);
    (units, latest..3, 0..3_i64, select(scale.zones))
        .prop_map(|(unit, to, more, tz)| {
            format!(r#"{{"calendar":{{"unit":"{unit}","back":[{},{to}],"tz":"{tz}"}}}}"#, to + more)
        })
        .boxed()
}

/// A window over facts; not `around`.
fn plain_window(scale: Scale) -> Text {
    prop_oneof![
        4 => span(scale).prop_map(|s| format!(r#"{{"last":"{s}"}}"#)),
        2 => span(scale).prop_map(|s| format!(r#"{{"before":"{s}"}}"#)),
        3 => two_spans(scale).prop_map(|(a, b)| format!(r#"{{"ago":["{b}","{a}"]}}"#)),
        1 => fixed(scale),
        2 => calendar(scale, 0),
    ]
    .boxed()
}

fn window(scale: Scale) -> Text {
    let anchor = prop_oneof![
        2 => Just(r#""seen""#.to_owned()),
        2 => Just(r#"{"attribute":"p"}"#.to_owned()),
        1 => matched(scale).prop_map(|m| format!(r#"{{"first":{{{m}}}}}"#)),
        2 => matched(scale).prop_map(|m| format!(r#"{{"latest":{{{m}}}}}"#)),
    ];
    let reach = || prop_oneof![4 => span(scale), 1 => Just("ever".to_owned())];
    let around = (anchor, reach(), reach(), 0..3_u8).prop_map(|(of, before, after, which)| match which {
        0 => format!(r#"{{"around":{{"of":{of},"before":"{before}"}}}}"#),
        1 => format!(r#"{{"around":{{"of":{of},"after":"{after}"}}}}"#),
        _ => format!(r#"{{"around":{{"of":{of},"before":"{before}","after":"{after}"}}}}"#),
    });
    prop_oneof![4 => plain_window(scale), 1 => around].boxed()
}

/// A test on a value, without braces.
fn test(scale: Scale) -> Text {
    let ahead = prop_oneof![
        2 => span(scale).prop_map(|s| format!(r#"{{"next":"{s}"}}"#)),
        1 => two_spans(scale).prop_map(|(a, b)| format!(r#"{{"ahead":["{a}","{b}"]}}"#)),
        1 => span(scale).prop_map(|s| format!(r#"{{"beyond":"{s}"}}"#)),
        1 => calendar(scale, -2),
        3 => plain_window(scale),
    ];
    let fixed = vec![
        r#""eq":1"#,
        r#""ne":1"#,
        r#""exists":true"#,
        r#""exists":false"#,
        r#""gt":1"#,
        r#""in":["s",2]"#,
        r#""not_in":[1]"#,
    ];
    let anniversary = (span(scale), select(scale.zones))
        .prop_map(|(s, tz)| format!(r#""anniversary":{{"next":"{s}","tz":"{tz}"}}"#));
    prop_oneof![
        3 => select(fixed).prop_map(str::to_owned),
        4 => ahead.prop_map(|w| format!(r#""within":{w}"#)),
        1 => anniversary,
        1 => instant(scale).prop_map(|at| format!(r#""lte":{{"instant":"{at}"}}"#)),
    ]
    .boxed()
}

/// Events and perhaps a filter, without braces.
fn matched(scale: Scale) -> Text {
    let events = select(vec![r#""a""#, r#""b""#, r#""c""#, r#"["a","b"]"#, r#""*""#]);
    let filter = prop_oneof![
        5 => Just(None),
        3 => test(scale).prop_map(|t| Some(format!(r#"{{"property":"x",{t}}}"#))),
        1 => test(scale).prop_map(|t| Some(format!(r#"{{"not":{{"property":"x",{t}}}}}"#))),
    ];
    (events, filter)
        .prop_map(|(events, filter)| {
            let filter = filter.map(|f| format!(r#","where":{f}"#)).unwrap_or_default();
            format!(r#""event":{events}{filter}"#)
        })
        .boxed()
}

fn range(most: i64) -> Text {
    (0..6_u8, 0..most)
        .prop_map(|(which, n)| match which {
            0 | 1 => format!(r#""at_least":{n}"#),
            2 => format!(r#""at_most":{n}"#),
            3 => format!(r#""exactly":{n}"#),
            4 => format!(r#""more_than":{n}"#),
            _ => format!(r#""between":[{n},{}]"#, n + 1),
        })
        .boxed()
}

fn measure(scale: Scale) -> Text {
    let units = select(vec!["hour", "day", "week", "month"]);
    let number = select(vec!["sum", "avg", "min", "max"]);
    let active = (units, select(scale.zones), range(3))
        .prop_map(|(unit, tz, range)| format!(r#","active":{{"unit":"{unit}","tz":"{tz}",{range}}}"#));
    prop_oneof![
        4 => range(4).prop_map(|r| format!(r#","times":{{{r}}}"#)),
        2 => (number, range(4)).prop_map(|(m, r)| format!(r#","{m}":{{"of":"x",{r}}}"#)),
        1 => range(3).prop_map(|r| format!(r#","distinct":{{"of":"x",{r}}}"#)),
        2 => active,
        2 => (select(vec!["first_value", "latest_value"]), test(scale))
            .prop_map(|(m, t)| format!(r#","{m}":{{"of":"x",{t}}}"#)),
    ]
    .boxed()
}

fn did(scale: Scale) -> Text {
    let inside =
        prop_oneof![1 => Just(String::new()), 4 => window(scale).prop_map(|w| format!(r#","in":{w}"#))];
    let same = prop_oneof![4 => Just(""), 1 => Just(r#","same":"x""#)];
    let over = (matched(scale), inside, measure(scale), same).prop_map(|(m, inside, measure, same)| {
        let same = if measure.contains("_value") { "" } else { same };
        format!(r#"{{"did":{{{m}{inside}{measure}{same}}}}}"#)
    });
    let edge = (matched(scale), select(vec!["first", "latest"]), window(scale))
        .prop_map(|(m, which, w)| format!(r#"{{"did":{{{m},"{which}":{{"in":{w}}}}}}}"#));
    prop_oneof![5 => over, 1 => edge].boxed()
}

/// What tallies decide: all events of some names, or their units, in a window that ends now.
fn counted(scale: Scale, events: Text) -> Text {
    let units = select(vec!["day", "day", "week", "month"]);
    let times = range(4).prop_map(|r| format!(r#""times":{{{r}}}"#));
    let active = (units, select(scale.zones), range(3))
        .prop_map(|(unit, tz, range)| format!(r#""active":{{"unit":"{unit}","tz":"{tz}",{range}}}"#));
    let long = select(vec!["3d", "4d", "10d", "29d", "36d", "2mo"]).prop_map(str::to_owned);
    let inside = prop_oneof![span(scale), long].prop_map(|s| format!(r#""in":{{"last":"{s}"}},"#));
    let inside = prop_oneof![1 => Just(String::new()), 4 => inside];
    (events, inside, prop_oneof![times, active])
        .prop_map(|(events, inside, measure)| format!(r#"{{"did":{{"event":{events},{inside}{measure}}}}}"#))
        .boxed()
}

fn counted_events() -> Text {
    select(vec![r#""a""#, r#""b""#, r#"["a","b"]"#, r#""*""#]).prop_map(str::to_owned).boxed()
}

/// Some of them, of the same events.
fn counted_together(scale: Scale) -> Text {
    let events = select(vec![r#""a""#, r#""*""#]);
    let leaves = events.prop_flat_map(move |events| {
        prop::collection::vec(counted(scale, Just(events.to_owned()).boxed()), 2..6)
    });
    let key = select(vec!["all", "any", "score"]);
    (key, leaves, range(4))
        .prop_map(|(key, leaves, range)| match key {
            "score" => {
                let points: Vec<String> =
                    leaves.iter().map(|leaf| format!(r#"{{"points":1,"if":{leaf}}}"#)).collect();
                format!(r#"{{"score":{{"of":[{}],{range}}}}}"#, points.join(","))
            }
            key => format!(r#"{{"{key}":[{}]}}"#, leaves.join(",")),
        })
        .boxed()
}

fn sequence(scale: Scale) -> Text {
    let rarely = |key: &'static str| {
        let written = span(scale).prop_map(move |s| format!(r#","{key}":"{s}""#));
        prop_oneof![2 => Just(String::new()), 1 => written].boxed()
    };
    let without = matched(scale).prop_map(|m| format!(r#","without":{{{m}}}"#));
    let without = prop_oneof![3 => Just(String::new()), 1 => without];
    let later = (matched(scale), rarely("within"), rarely("after"), without)
        .prop_map(|(m, within, after, without)| format!(r#",{{{m}{within}{after}{without}}}"#));
    let steps = (matched(scale), prop::collection::vec(later, 0..3))
        .prop_map(|(first, later)| format!(r#""steps":[{{{first}}}{}]"#, later.concat()));
    let inside = window(scale).prop_map(|w| format!(r#","in":{w}"#));
    let inside = prop_oneof![1 => Just(String::new()), 1 => inside];
    let then_not =
        (matched(scale), span(scale)).prop_map(|(m, s)| format!(r#","then_not":{{{m},"within":"{s}"}}"#));
    let then_not = prop_oneof![1 => Just(String::new()), 1 => then_not];
    let same = prop_oneof![4 => Just(""), 1 => Just(r#","same":"x""#)];
    (steps, rarely("within"), inside, then_not, same)
        .prop_map(|(steps, within, inside, then_not, same)| {
            format!(r#"{{"sequence":{{{steps}{within}{inside}{then_not}{same}}}}}"#)
        })
        .boxed()
}

fn attribute(scale: Scale) -> Text {
    let held =
        prop_oneof![1 => Just(String::new()), 1 => span(scale).prop_map(|s| format!(r#","for":"{s}""#))];
    (test(scale), held).prop_map(|(t, held)| format!(r#"{{"attribute":{{"name":"p",{t}{held}}}}}"#)).boxed()
}

fn changed(scale: Scale) -> Text {
    let value = |key: &'static str| {
        let value = select(vec!["1", r#""s""#]).prop_map(move |v| format!(r#","{key}":{v}"#));
        prop_oneof![1 => Just(String::new()), 1 => value]
    };
    let inside =
        prop_oneof![1 => Just(String::new()), 3 => window(scale).prop_map(|w| format!(r#","in":{w}"#))];
    (value("from"), value("to"), inside)
        .prop_map(|(from, to, inside)| format!(r#"{{"changed":{{"name":"p"{from}{to}{inside}}}}}"#))
        .boxed()
}

fn score(scale: Scale, of: Text) -> Text {
    let earned = of.prop_map(|e| format!(r#""if":{e}"#));
    let quantities =
        vec!["", r#","sum":{"of":"x"}"#, r#","distinct":{"of":"x"}"#, r#","active":{"unit":"day"}"#];
    let inside =
        prop_oneof![1 => Just(String::new()), 2 => window(scale).prop_map(|w| format!(r#","in":{w}"#))];
    let per = (matched(scale), inside, select(quantities))
        .prop_map(|(m, inside, quantity)| format!(r#""per":{{{m}{inside}{quantity}}}"#));
    let one =
        (-2..3_i64, prop_oneof![earned, per]).prop_map(|(p, what)| format!(r#"{{"points":{p},{what}}}"#));
    (prop::collection::vec(one, 1..4), range(3))
        .prop_map(|(of, range)| format!(r#"{{"score":{{"of":[{}],{range}}}}}"#, of.join(",")))
        .boxed()
}

/// A segment that may name some others, and the list `vip`; few of them are not valid.
pub fn segment(scale: Scale, others: &'static [&'static str]) -> Text {
    let seen = plain_window(scale).prop_map(|w| format!(r#"{{"seen":{{"in":{w}}}}}"#));
    let sample = Just(r#"{"sample":{"salt":"s","from":0,"to":50}}"#.to_owned());
    let mut leaf = prop_oneof![
        8 => did(scale),
        6 => counted(scale, counted_events()),
        3 => counted_together(scale),
        4 => sequence(scale),
        4 => attribute(scale),
        2 => changed(scale),
        2 => seen,
        1 => Just(r#"{"list":"vip"}"#.to_owned()),
        1 => sample,
    ]
    .boxed();
    if !others.is_empty() {
        let reference = select(others).prop_map(|name| format!(r#"{{"segment":"{name}"}}"#));
        leaf = prop_oneof![8 => leaf, 1 => reference].boxed();
    }
    let several = |key: &'static str| {
        prop::collection::vec(leaf.clone(), 2..4)
            .prop_map(move |of| format!(r#"{{"{key}":[{}]}}"#, of.join(",")))
    };
    prop_oneof![
        8 => leaf.clone(),
        2 => leaf.clone().prop_map(|e| format!(r#"{{"not":{e}}}"#)),
        2 => several("all"),
        2 => several("any"),
        2 => score(scale, leaf),
    ]
    .boxed()
}
