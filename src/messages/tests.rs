//! Compares every message about files and results with `testdata/messages.txt`, which `UPDATE=1 cargo test --lib
//! messages` rewrites. The variants of the enums are read from their source, so that a new one cannot be left out.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use super::{
    AccountWarning, CommandNote, CommandWarning, RuleNote, RuleWarning, damage, lost, note, reject_reason, warning,
};
use crate::diagnostic::{CODES, Error};
use crate::entra::RowKind;
use crate::entra::RowLimit;
use crate::entra::numeric_dates::DateOrder;
use crate::functions::Doubt;
use crate::scan::events::BoundOrigin;
use crate::scan::{
    ColumnNote, Damage, EmptyReason, FileProblems, Note, OverlapBasis, RejectReason, TimeGap, UnnamedRows, Warning,
};
use crate::storage::folders::SkipReason;
use crate::storage::listing::DiscoveryNote;
use crate::types::Type;

const FILE: &str = "testdata/messages.txt";

#[test]
fn every_message_is_pinned() {
    let sections = [
        ("Warnings", warnings()),
        ("Notes", notes()),
        ("Damage", damages()),
        ("Warnings of commands", command_warnings()),
        ("Notes of commands", command_notes()),
        ("Notes about rules", rule_notes()),
        ("Lost records and rejects", lost_records()),
        ("Errors", errors()),
        ("Messages about the query", CODES.iter().map(|row| format!("{}: {}", row.id, row.title)).collect()),
    ];
    let text: String = sections.iter().map(|(title, lines)| format!("# {title}\n\n{}\n\n", lines.join("\n"))).collect();
    let text = format!("{}\n", text.trim_end());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).expect("testdata can be written");
    }
    let pinned = fs::read_to_string(&path).unwrap_or_default();
    let different = text.lines().zip(pinned.lines()).find(|(now, before)| now != before);
    assert!(
        text == pinned,
        "{FILE} differs, first in {different:?}: if that is intended, run `UPDATE=1 cargo test --lib messages`"
    );
}

/// Returns the name of the variant of a value.
fn name(value: &impl Debug) -> String {
    format!("{value:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Returns one line for each sample. Panics if a variant of the enum has no sample; the file `source` defines the
/// enum.
fn lines<T: Debug>(source: &str, samples: &[T], text: &dyn Fn(&T) -> String) -> Vec<String> {
    let full_name = std::any::type_name::<T>();
    let own = full_name.split('<').next().and_then(|path| path.rsplit("::").next()).unwrap_or(full_name);
    let have: Vec<String> = samples.iter().map(name).collect();
    for variant in variants(source, own) {
        assert!(have.contains(&variant), "{own}::{variant} has no sample in src/messages/tests.rs");
    }
    samples.iter().map(|sample| format!("{}: {}", name(sample), text(sample))).collect()
}

/// Returns the names of the variants of an enum, from its source.
fn variants(source: &str, own: &str) -> Vec<String> {
    let code = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(source)).expect("source is text");
    let start = code.find(&format!("enum {own}")).expect("the enum is there");
    let body = code[start..].split("\n}\n").next().unwrap_or_default();
    let starts = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = starts.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names.map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect()).collect()
}

fn warnings() -> Vec<String> {
    let [table, column] = ["SigninLogs", "TimeGenerated"].map(str::to_owned);
    let gap = TimeGap {
        table: table.clone(),
        column: column.clone(),
        from: Some(639_081_792_000_000_000),
        to: Some(639_082_656_000_000_000),
        covered: [639_082_000_000_000_000, 639_082_100_000_000_000],
        is_estimate: false,
    };
    let mut samples = vec![
        Warning::SuccessesOnly { file_prefix: "AADSigninLog_" },
        Warning::Respelled("the warning of a line of value_spellings.tsv"),
        Warning::Archived("a warning of the footer".to_owned()),
        Warning::TimeGap(TimeGap { to: None, is_estimate: true, ..gap.clone() }),
        Warning::TimeGap(gap),
        Warning::NoDedupColumn { table, column: "Id".to_owned() },
    ];
    let reasons = [
        EmptyReason::MissingFromFiles("Parquet"),
        EmptyReason::MissingFromCsv,
        EmptyReason::MissingFromPortalCsv,
        EmptyReason::UndeterminedInPortalCsv,
        EmptyReason::MissingFromOriginals,
        EmptyReason::NotExported { kind: RowKind::Diagnostic, is_v1: false },
        EmptyReason::NotExported { kind: RowKind::Graph, is_v1: true },
    ];
    lines("src/scan/events.rs", &reasons, &|_| String::new());
    let empty = |reason| Warning::EmptyColumn { column: "City".to_owned(), reason };
    samples.extend(reasons.map(empty));
    samples.push(Warning::EmptyColumns { first: "City".to_owned(), others: 7, reason: EmptyReason::MissingFromCsv });
    samples.extend(RowLimit::ALL.map(|limit| Warning::RowLimit { file: "a.json".to_owned(), limit }));
    lines("src/scan/events.rs", &samples, &warning)
}

fn notes() -> Vec<String> {
    let table = "SigninLogs";
    let column = || "City".to_owned();
    let columns = [
        ColumnNote::SignInTime { kind: RowKind::Graph, time: "createdDateTime" },
        ColumnNote::OtherTime { kind: RowKind::Flat, time: "CreatedDateTime".to_owned() },
        ColumnNote::ValueDifference("the note of a line of value_differences.tsv"),
        ColumnNote::UnknownKey { key: column(), table: Some(table) },
        ColumnNote::UnknownKey { key: String::new(), table: Some(table) },
        ColumnNote::UnknownColumn { column: column(), format: "Parquet", table: None },
        ColumnNote::ColumnAdded { table: table.to_owned(), column: column(), ty: Type::String },
        ColumnNote::EmptyCsvRows,
        ColumnNote::PreviewRows,
        ColumnNote::UnnamedCsvColumns,
        ColumnNote::UnknownCsvColumn(column()),
        ColumnNote::RepeatedCsvHeader("a.csv".to_owned()),
        ColumnNote::OtherCsvHeader { file: "a.csv".to_owned(), line: 3 },
        ColumnNote::MissingErrorCodes,
        ColumnNote::DateOrderProven { column: column(), order: DateOrder::DayFirst },
        ColumnNote::CountedTimes { column: column(), unit: "seconds since 1970" },
        ColumnNote::PythonNotation(column()),
    ];
    let overlap = |basis| {
        let files = ["a.json", "b.json"].map(str::to_owned);
        Note::Overlap { files, basis, table: table.to_owned() }
    };
    let mut samples = vec![
        Note::EmptyFile("a.json".to_owned()),
        Note::NotAnExport { file: "readme.txt".to_owned(), reason: "neither JSON nor CSV" },
        Note::OwnFile("rejects.jsonl".to_owned()),
        Note::EncodingOverridden { file: "a.csv".to_owned(), specified: "windows-1252", found: "UTF-8" },
        Note::NoLastLineEnd("a.csv".to_owned()),
        overlap(OverlapBasis::AllRecords),
        overlap(OverlapBasis::FirstRecords),
        overlap(OverlapBasis::TimesAndAccounts),
        overlap(OverlapBasis::NoIds { rows: 7 }),
        overlap(OverlapBasis::Ids { repeated: 9, compared: 12_000, is_sample: false }),
        overlap(OverlapBasis::Ids { repeated: 9, compared: 60_000, is_sample: true }),
        Note::DuplicatesDropped { table: table.to_owned(), column: "Id".to_owned(), records: 1, rows: 1 },
        Note::DuplicatesDropped { table: table.to_owned(), column: "Id".to_owned(), records: 3, rows: 3 },
        Note::Renamed { name: None, table },
        Note::Renamed { name: Some("SigninLogs_CL".to_owned()), table },
        Note::OtherTables { names: vec!["Heartbeat".to_owned()], more: 0, table: Some(table) },
        Note::OtherTables { names: ["Heartbeat", "Syslog"].map(str::to_owned).to_vec(), more: 3, table: Some(table) },
        Note::OtherTables { names: vec!["Heartbeat".to_owned()], more: 0, table: None },
        Note::UnknownSignInKinds,
        Note::SearchJobRows,
        Note::Archived("a note of the footer".to_owned()),
    ];
    let rows = [UnnamedRows::Records(RowKind::Flat), UnnamedRows::Rows("Parquet"), UnnamedRows::Files("Arrow")];
    lines("src/scan/events.rs", &rows, &|_| String::new());
    samples.extend(rows.map(|rows| Note::TableAssumed { rows, table }));
    let origins = [BoundOrigin::Call, BoundOrigin::FirstTime(column()), BoundOrigin::LastTime(column())];
    lines("src/scan/events.rs", &origins, &|_| String::new());
    let filled = |origin| Note::PlaceholderFilled { name: "StartTimeISO", ticks: 639_081_792_000_000_000, origin };
    samples.extend(origins.map(filled));
    samples.extend(discovery_notes().into_iter().map(Note::Discovery));
    lines("src/scan/events.rs", &columns, &|_| String::new());
    samples.extend(columns.map(Note::Column));
    let named = |sample: &Note| match sample {
        Note::Column(column) => format!("{}: {}", name(column), note(sample)),
        Note::Discovery(about) => format!("{}: {}", name(about), note(sample)),
        _ => note(sample),
    };
    lines("src/scan/events.rs", &samples, &named)
}

fn discovery_notes() -> Vec<DiscoveryNote> {
    let file = || "a.json".to_owned();
    let mut samples = vec![
        DiscoveryNote::NamedTwice(file()),
        DiscoveryNote::SameFile { file: "link.json".to_owned(), other: file() },
        DiscoveryNote::MoreNamedTwice(3),
        DiscoveryNote::OwnResult { file: "result.csv".to_owned(), manifest: "manifest.json".to_owned() },
        DiscoveryNote::UnreadableArchive { file: "a.zip".to_owned(), reason: "it is damaged".to_owned() },
        DiscoveryNote::NoneInDeltaLog("table".to_owned()),
        DiscoveryNote::NotInDeltaLog { table: "table".to_owned(), files: 1 },
        DiscoveryNote::NotInDeltaLog { table: "table".to_owned(), files: 3 },
        DiscoveryNote::NotInArchiveList { archive: "archive".to_owned(), files: 1 },
        DiscoveryNote::NotInArchiveList { archive: "archive".to_owned(), files: 2 },
        DiscoveryNote::ResizedFiles(vec!["archive/SigninLogs/SigninLogs-00000.parquet".to_owned()]),
        DiscoveryNote::UnreadableList {
            archive: "archive".into(),
            error: "archive/.coldcase-files: the list is damaged".to_owned(),
        },
    ];
    let reasons = [
        SkipReason::Hidden,
        SkipReason::DanglingLink,
        SkipReason::LinkElsewhere,
        SkipReason::Special,
        SkipReason::Unreadable,
    ];
    lines("src/storage/folders.rs", &reasons, &|_| String::new());
    let unread = |reason: SkipReason| DiscoveryNote::Unread {
        reason: reason.describe(),
        names: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        advice: reason.advice(),
    };
    samples.extend(reasons.map(unread));
    lines("src/storage/listing.rs", &samples, &ToString::to_string);
    samples
}

fn damages() -> Vec<String> {
    let column = || "City".to_owned();
    let samples = [
        Damage::UnrecognisedRecords,
        Damage::UnknownTable("Heartbeat".to_owned()),
        Damage::SimilarTable("SigninLogs_CL".to_owned(), "SigninLogs".to_owned()),
        Damage::UnreadableTime("TimeGenerated".to_owned()),
        Damage::UnreadableValue(column(), Type::Long),
        Damage::InvalidUtf8(column()),
        Damage::ChecksumMismatch("page 1 of column City".to_owned()),
        Damage::NotUtf8,
        Damage::BrokenUtf16,
        Damage::Undecodable("Shift_JIS".to_owned()),
        Damage::ProbablyUtf8("windows-1252".to_owned()),
        Damage::HalfSurrogatePair(column()),
        Damage::RepeatedKey,
        Damage::NulBytes,
        Damage::MayBeCutOff,
        Damage::UnreadableColumn(column(), "its type is not supported".to_owned()),
        Damage::AmbiguousDates(column(), DateOrder::MonthFirst),
        Damage::ContradictoryDates(column()),
        Damage::NotJson(column()),
        Damage::CutByPowerShell(column()),
        Damage::UnknownLabel(column()),
        Damage::MissingResult("ResultType".to_owned()),
        Damage::MissingTime("TimeGenerated".to_owned()),
        Damage::MissingTable("AuditLogs".to_owned(), "SigninLogs".to_owned()),
        Damage::MissingTable("AuditLogs".to_owned(), String::new()),
        Damage::MissingTables("AAD*".to_owned(), "SigninLogs".to_owned()),
        Damage::MissingTables("AAD*".to_owned(), String::new()),
        Damage::HiddenTable("SigninLogs".to_owned()),
        Damage::NotSearched("Custom_CL".to_owned()),
        Damage::ChangedFile,
        Damage::KeyInOtherCase("city".to_owned(), column()),
        Damage::RefusedFile("neither JSON nor CSV".to_owned()),
        Damage::NotRead(discovery_notes().pop().expect("there are some")),
        Damage::PartialAnswer,
        Damage::OnlyPreviews,
        Damage::MissingRecords(2, 3),
        Damage::MissingFrames,
        Damage::FewerRows(2, 3),
        Damage::ErrorAnswer("TooManyRequests".to_owned()),
        Damage::NotConverted("a, b".to_owned()),
        Damage::MissingPages("auditLogs/signIns".to_owned()),
        Damage::MissingPages(String::new()),
        Damage::Doubt(Doubt::XmlDepth),
        Damage::Doubt(Doubt::UserAgentLength),
        Damage::Doubt(Doubt::UserAgentPart),
        Damage::Doubt(Doubt::HashOfEmpty),
        Damage::Doubt(Doubt::SeriesElements),
        Damage::Doubt(Doubt::SeriesUndefined),
        Damage::Doubt(Doubt::SeriesTooLarge),
        Damage::Doubt(Doubt::SeriesInfiniteScore),
        Damage::Archived("damage of the footer".to_owned()),
        Damage::Other,
    ];
    let counted = |kind: &Damage| match (damage(kind, 1), damage(kind, 3)) {
        (one, three) if one == three => one,
        (one, three) => format!("{one}\n  3: {three}"),
    };
    lines("src/scan/damage.rs", &samples, &counted)
}

fn command_warnings() -> Vec<String> {
    let [flag, file, folder] = ["-O", "exports/hits.json", "exports"].map(str::to_owned);
    let samples = [
        CommandWarning::MoreUnreadable { files: 3, records: 9 },
        CommandWarning::MoreDamaged(3),
        CommandWarning::CatalogUnused("coldcase.toml".to_owned()),
        CommandWarning::NothingToLookFor("a.json".to_owned()),
        CommandWarning::InputChanged("a.json".to_owned()),
        CommandWarning::RejectsFull(3),
        CommandWarning::ResultAmongInputs { flag, file, folder },
        CommandWarning::UnknownTables(["Heartbeat", "Syslog"].map(str::to_owned).to_vec()),
        CommandWarning::Rule(RuleWarning::OtherAlerts { found: 3, expected: 2 }),
        CommandWarning::Account(AccountWarning::FewAccounts),
    ];
    let mut texts = lines("src/messages/command.rs", &samples, &ToString::to_string);
    let (rule, account) = (|| "Late".to_owned(), || "bg-1@contoso.com".to_owned());
    let rules = [
        RuleWarning::OtherAlerts { found: 3, expected: 2 },
        RuleWarning::Unexpected { rule: rule(), found: 3, expected: "at most 2".to_owned() },
        RuleWarning::NotRead { position: "rules/a.yaml:2:1".to_owned(), reason: "the rule has no query".to_owned() },
        RuleWarning::NotRun { position: "rules/a.yaml:3:8".to_owned(), rule: rule(), reason: "an error".to_owned() },
        RuleWarning::QueryDoubtful {
            position: "rules/a.yaml:3:8".to_owned(),
            rule: rule(),
            text: "never true".to_owned(),
        },
        RuleWarning::EventsMissed { rule: rule(), missed: Some(3) },
        RuleWarning::EventsMissed { rule: rule(), missed: None },
        RuleWarning::UnlabelledRemoved { rule: rule(), rows: 1 },
        RuleWarning::UnlabelledRemoved { rule: rule(), rows: 2 },
        RuleWarning::Loss { rule: rule(), loss: "the suppression is dropped".to_owned() },
        RuleWarning::NotTested(rule()),
        RuleWarning::NoRows(rule()),
        RuleWarning::RangeBeyondData {
            rule: rule(),
            ranges: [["2026-01-01", "2027-01-01"], ["2026-03-01", "2026-03-31"]].map(|range| range.map(str::to_owned)),
        },
        RuleWarning::AlertsBeyondData { rule: rule(), alerts: 2 },
        RuleWarning::TooManyAlerts { rule: rule(), alerts: 400, limit: 300 },
        RuleWarning::ColumnMissing {
            place: "rule.yaml:12:5".to_owned(),
            column: "Usr".to_owned(),
            hint: ": did you mean `User`?".to_owned(),
        },
    ];
    texts.extend(lines("src/messages/detection.rs", &rules, &ToString::to_string));
    let accounts = [
        AccountWarning::FewAccounts,
        AccountWarning::GivenTwice { account: account(), aliases: "[\"2b5c\"]".to_owned() },
        AccountWarning::NotTested(account()),
        AccountWarning::PolicyApplied { account: account(), policies: "[\"MFA\"]".to_owned() },
        AccountWarning::NotReset { account: account(), used: "2026-03-02T13:31:00Z".to_owned() },
        AccountWarning::DaysWithoutData("[\"2026-03-04\"]".to_owned()),
        AccountWarning::TablesMissing(["AADServicePrincipalSignInLogs"].map(str::to_owned).to_vec()),
    ];
    texts.extend(lines("src/messages/detection.rs", &accounts, &ToString::to_string));
    texts
}

fn rule_notes() -> Vec<String> {
    let samples = [
        RuleNote::ArrivalAssumed { rule: "Late".to_owned(), table: "SigninLogs".to_owned(), rows: 3 },
        RuleNote::Disabled("Late".to_owned()),
        RuleNote::HandsOnNothing("Late".to_owned()),
        RuleNote::MutedAlerts { rule: "Late".to_owned(), alerts: 1 },
        RuleNote::MissesUnknown { rule: "Late".to_owned(), reason: "a row of its query is not one record" },
        RuleNote::AboutAbsence("Silent".to_owned()),
        RuleNote::LookbackAssumed { rule: "Late".to_owned(), lookback: "2.00:00:00".to_owned() },
        RuleNote::LookbackFixed { rule: "Late".to_owned(), lookback: "04:00:00".to_owned() },
        RuleNote::LateEvents {
            rule: "Late".to_owned(),
            events: 1,
            most: "00:25:00".to_owned(),
            all: "10:05:00".to_owned(),
        },
    ];
    lines("src/messages/detection.rs", &samples, &ToString::to_string)
}

fn command_notes() -> Vec<String> {
    let file = || "coldcase.toml".to_owned();
    let (path, table, names) = ("a.json".to_owned(), "SigninLogs".to_owned(), "\"City\", \"Site\"".to_owned());
    let samples = [
        CommandNote::CatalogUsed { file: file(), found_in: None },
        CommandNote::CatalogUsed { file: file(), found_in: Some("your settings") },
        CommandNote::TableNotRead { path, table: table.clone() },
        CommandNote::StdinNotRead,
        CommandNote::RemainsRemoved,
        CommandNote::RowsAddedBefore,
        CommandNote::ColumnsAdded { table, names },
        CommandNote::NoRule("rule.yaml".to_owned()),
        CommandNote::RuleWithoutQuery { file: "rule.yaml".to_owned(), rule: Some("Fusion".to_owned()) },
        CommandNote::RuleWithoutQuery { file: "rule.yaml".to_owned(), rule: None },
        CommandNote::NoAlertRule { file: "rule.yaml".to_owned(), rule: Some("Hunt".to_owned()) },
        CommandNote::Rule(RuleNote::AboutAbsence("Silent".to_owned())),
        CommandNote::NoFileList(3),
        CommandNote::NoChecksums { names: vec!["a.json".to_owned()], more: false },
        CommandNote::NoChecksums { names: ["a", "b", "c"].map(str::to_owned).to_vec(), more: true },
    ];
    lines("src/messages/command.rs", &samples, &ToString::to_string)
}

fn lost_records() -> Vec<String> {
    let examples = vec![("line 7, byte 99".to_owned(), "cut off".to_owned())];
    let problems = |lost, whole| FileProblems { lost, whole, places: lost, examples: examples.clone() };
    let mut texts: Vec<String> = [problems(1, false), problems(3, false), problems(1, true)].iter().map(lost).collect();
    let rejects = [RejectReason::Lost("cut off"), RejectReason::Damage(&Damage::UnrecognisedRecords, 3)];
    texts.extend(lines("src/scan/report.rs", &rejects, &reject_reason));
    texts
}

fn errors() -> Vec<String> {
    let text = || "the message".to_owned();
    let failed = |kind| {
        let source = std::io::Error::new(kind, "the error of the system");
        Error::Io { path: PathBuf::from("a.json"), source }
    };
    let samples = [
        Error::Query(Vec::new()),
        Error::Usage(text()),
        Error::Data { file: "a.json".to_owned(), place: Some("line 7".to_owned()), reason: text() },
        Error::Data { file: "a.json".to_owned(), place: None, reason: text() },
        failed(std::io::ErrorKind::NotFound),
        failed(std::io::ErrorKind::StorageFull),
        Error::Limit(text()),
        Error::BatchTooLarge("make_list"),
        Error::Cancelled,
        Error::Reported(5),
        Error::Internal(text()),
    ];
    lines("src/diagnostic/mod.rs", &samples, &ToString::to_string)
}
