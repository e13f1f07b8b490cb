use super::super::notebook::Notebook;
use super::super::report::Position;
use super::*;

const TABLE: &str = "\
id,who,what,when,amount,paid,plan,note
1,ada,buy,2024-01-02,10.50,yes,pro,\"a, \"\"b\"\"\nc\"
2,bob,view,2024-01-03,,,,
2,bob,view,2024-01-03,,,,
";

fn table<'p>() -> Importer<'p, Csv> {
    Importer::csv()
        .user("who")
        .event_in("what")
        .at("when", "%Y-%m-%d")
        .id("id")
        .property("amount", Cell::Number)
        .property_as("is_paid", "paid", Cell::Bool)
        .property("note", Cell::String)
        .attribute("plan", Cell::String)
}

fn import(mut importer: Importer<'_, Csv>, text: &str) -> (Vec<String>, Report) {
    let mut store = Notebook::default();
    let report = importer.read(text.as_bytes(), &mut store).unwrap();
    (store.lines, report)
}

fn problem(mut importer: Importer<'_, Csv>, text: &str) -> String {
    let error = importer.read(text.as_bytes(), &mut Notebook::default()).unwrap_err();
    assert!(matches!(error, ImportError::Columns { .. }), "{error}");
    error.to_string()
}

#[test]
fn rows_are_events_and_attributes() {
    let (lines, report) = import(table(), TABLE);
    assert_eq!(
        lines,
        [
            "ada did buy at 2024-01-02T00:00:00Z amount=10.5 is_paid=true note='a, \"b\"\nc'",
            "ada has plan='pro' from 2024-01-02T00:00:00Z",
            "bob did view at 2024-01-03T00:00:00Z",
        ]
    );
    assert_eq!((report.messages, report.events, report.duplicates, report.attribute_writes), (3, 2, 1, 1));
    assert_eq!(report.taken().get("row"), Some(&3));
}

#[test]
fn columns_go_by_index_too() {
    let importer = Importer::csv()
        .user(0)
        .event("buy")
        .at(1, InstantFormat::UnixSeconds)
        .property_as("amount", 2, Cell::Int)
        .without_header()
        .delimiter(b';');
    let (lines, report) = import(importer, "ada;60;7\r\nbob;61;\r\n");
    assert_eq!(
        lines,
        ["ada did buy at 1970-01-01T00:01:00Z amount=7", "bob did buy at 1970-01-01T00:01:01Z"]
    );
    assert_eq!(report.lines, 2);
    let importer =
        Importer::csv().user(0).event("buy").at(1, InstantFormat::UnixSeconds).property(2, Cell::Int);
    assert_eq!(import(importer, "who,when,n\nada,60,7").0, ["ada did buy at 1970-01-01T00:01:00Z n=7"]);
}

#[test]
fn a_row_without_an_event_registers_its_user() {
    let at: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let importer = Importer::csv().user("id").attribute("plan", Cell::String).instant_if_none(at);
    let (lines, _) = import(importer, "id,plan\nada,pro\nbob,\n");
    assert_eq!(
        lines,
        [
            "ada is known from 2024-01-01T00:00:00Z",
            "ada has plan='pro' from 2024-01-01T00:00:00Z",
            "bob is known from 2024-01-01T00:00:00Z"
        ]
    );
}

#[test]
fn a_bad_row_is_rejected_whole_with_its_line() {
    let long = "x".repeat(513);
    let rows = [
        ("1,,buy,2024-01-02,1,,,", "no user"),
        ("1,ada,,2024-01-02,1,,,", "no event name"),
        ("1,ada,buy,,1,,,", "no instant"),
        ("1,ada,buy,2024-02-30,1,,,", "bad instant"),
        ("1,ada,buy,2024-01-02,much,,pro,", "bad value: column amount holds \"much\", expected a number"),
        (
            "1,ada,buy,2024-01-02,1,perhaps,,",
            "bad value: column paid holds \"perhaps\", expected true or false",
        ),
        ("1,ada,buy", "wrong number of columns: 3 where 8 are expected"),
        (
            &format!("1,{long},buy,2024-01-02,1,,,"),
            "too long: who has 513 bytes where at most 512 are allowed",
        ),
        (
            &format!("1,ada,{long},2024-01-02,1,,,"),
            "too long: what has 513 bytes where at most 512 are allowed",
        ),
        (
            &format!("{long},ada,buy,2024-01-02,1,,,"),
            "too long: id has 513 bytes where at most 512 are allowed",
        ),
    ];
    for (row, reason) in rows {
        let (lines, report) =
            import(table().skip_rejected(), &format!("{TABLE}{row}\n3,eve,buy,2024-01-05,,,,\n"));
        assert_eq!(lines.len(), 4, "{row}");
        assert_eq!(report.rejections[0].to_string(), format!("line 6: {reason}"));
        assert_eq!((report.rejected, report.messages), (1, 4));
    }
    let mut store = Notebook::default();
    let bytes = b"who,note\nada,\xff\n";
    let importer = Importer::csv().user("who").event("e").property("note", Cell::String).skip_rejected();
    let report = importer.instant_if_none(Timestamp::MIN).read(&bytes[..], &mut store).unwrap();
    assert_eq!(report.rejections[0].to_string(), "line 2: not UTF-8: column note");
}

#[test]
fn an_import_resumes_where_it_stopped() {
    let text = format!("{TABLE}9,eve,buy,soon,,,,\n3,eve,buy,2024-01-05,,,,\n");
    let mut store = Notebook::default();
    let error = table().read(text.as_bytes(), &mut store).unwrap_err();
    let start = error.report().resume.unwrap();
    assert_eq!(start, Position { line: 6, index: None });
    assert_eq!((store.lines.len(), error.report().messages), (3, 3));
    let report = table().skip_rejected().start_at(start).read(text.as_bytes(), &mut store).unwrap();
    assert_eq!((report.messages, report.rejected, store.lines.len()), (1, 1, 4));
}

#[test]
fn columns_must_be_there() {
    let at = Timestamp::MIN;
    let who = || Importer::csv().user("who").instant_if_none(at);
    assert!(problem(Importer::csv().event("e"), "who").contains("none is declared that holds the user"));
    assert!(problem(who(), "whose\n").contains("there is no column \"who\""));
    assert!(problem(who(), "who,who\n").contains("there are several columns \"who\""));
    assert!(problem(who().without_header(), "ada\n").contains("the table has no header"));
    assert!(
        problem(who().attribute(1, Cell::Int), "who\n").contains("there is no column 1: the table has 1")
    );
    assert!(
        problem(Importer::csv().user(0).attribute(0, Cell::Int).without_header(), "a")
            .contains("column 0 has no name")
    );
    assert!(problem(who().property("who", Cell::Int), "who\n").contains("no event is declared"));
    assert!(problem(who().event(""), "who\n").contains("a name is empty"));
    let twice = who().event("e").property("who", Cell::Int).property_as("who", 0, Cell::Int);
    assert!(problem(twice, "who\n").contains("\"who\" is declared twice"));
    assert!(problem(who().at("who", "%Q"), "who\n").contains("\"%Q\" is no pattern of an instant"));
}

#[test]
fn an_open_quote_does_not_swallow_the_table() {
    let text = format!("who,note\nada,\"{}", "x\n".repeat(500_000));
    let mut importer = Importer::csv().user("who").event("e").instant_if_none(Timestamp::MIN).max_line(1_000);
    let error = importer.read(text.as_bytes(), &mut Notebook::default()).unwrap_err();
    assert!(error.to_string().contains("is a quote left open?"), "{error}");
    assert!(error.report().bytes < 500_000);
}

#[test]
fn lines_are_those_of_the_file() {
    let lines_of = |text: &str| {
        let importer = Importer::csv().user("who").event("e").at("note", InstantFormat::UnixSeconds);
        let (_, report) = import(importer.skip_rejected(), text);
        assert_eq!((report.messages, report.rejected), (1, 3));
        report.rejections.iter().map(|rejection| rejection.position.line).collect::<Vec<_>>()
    };
    let text = "who,note\nada,\"x\ny\"\n\n\nbob,\"x\n\n\"\nada,1\n\nada,x";
    assert_eq!(lines_of(text), [2, 6, 11]);
    assert_eq!(lines_of(&format!("{text}\n")), [2, 6, 11]);
    assert_eq!(lines_of(&format!("{text}\n\n")), [2, 6, 11]);
    assert_eq!(lines_of(&text.replace('\n', "\r\n")), [2, 6, 11]);
    assert_eq!(lines_of(&format!("\r\n{text}").replace("ada,1\n", "ada,1\r\n")), [3, 7, 12]);
}

#[test]
fn compressed_tables_marks_and_empty_tables_are_fine() {
    use std::io::Write;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(b"\xef\xbb\xbf").unwrap();
    zip.write_all(TABLE.as_bytes()).unwrap();
    let report = table().read(&*zip.finish().unwrap(), &mut Notebook::default()).unwrap();
    assert_eq!(report.events, 2);
    assert_eq!(import(table(), "").1, Report::default());
    assert_eq!(import(table(), TABLE.lines().next().unwrap()).1.messages, 0);
}

#[test]
fn progress_comes_every_65536_lines() {
    let text = format!("who\n{}", "ada\n".repeat(140_000));
    let mut told = Vec::new();
    let importer = Importer::csv().user("who").event("e").instant_if_none(Timestamp::MIN);
    import(importer.on_progress(|progress| told.push(progress.lines)), &text);
    assert_eq!(told, [1 << 16, 1 << 17]);
}
