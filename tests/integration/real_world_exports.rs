//! Real-world exports: files that other tools and people changed after the export.

use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase};

const TIME: &str = "2026-03-02T09:00:00Z";

/// A folder of files for one test.
struct Evidence(tempfile::TempDir);

impl Evidence {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).expect("folders");
        fs::write(path, bytes).expect("written");
        self.path(name)
    }

    /// Writes a Parquet file with the rows of a query.
    fn parquet(&self, name: &str, query: &str) -> String {
        self.write(name, "");
        let path = self.path(name);
        let output = coldcase(&[query, "-o", "parquet", "-O", &path]);
        assert_eq!(output.code, 0, "{output:?}");
        crate::integrity::unmark(&path);
        path
    }
}

/// The result as CSV without its header, and the messages.
fn ask(args: &[&str]) -> (String, String) {
    let Output { code, stdout, stderr } = coldcase(&[args, &["-o", "csv"]].concat());
    assert_eq!(code, 0, "{args:?}: {stderr}");
    let rows: Vec<&str> = stdout.lines().skip(1).collect();
    (rows.join("\n"), stderr)
}

/// Tools widen integers of columns with missing values; strings that look like numbers stay strings.
#[test]
fn widened_integers_are_restored() {
    let evidence = Evidence::new();
    let query = "SigninLogs | project Id, ResultType, AutonomousSystemNumber, OperationVersion, ResultDescription";
    let expected = "1,50126,8075,1.0,wrong\n2,0,,1.0,";
    let rows = "datatable(TimeGenerated:datetime, Type:string, Id:string, ResultType:real, AutonomousSystemNumber:real, \
                OperationVersion:real, ResultDescription:string) \
                [datetime(2026-03-02), 'SigninLogs', '1', 50126.0, 8075.0, 1.0, 'wrong', \
                datetime(2026-03-02), 'SigninLogs', '2', 0.0, real(null), 1.0, '']";
    let parquet = evidence.parquet("widened.parquet", rows);
    assert_eq!(ask(&[query, &parquet]).0, expected);
    let failures = "SigninLogs | where ResultType == 50126 | project Id";
    assert_eq!(ask(&[failures, &parquet]).0, "1");
    let start = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"OperationVersion\":1.0");
    let json = format!(
        "{start},\"Id\":\"1\",\"ResultType\":50126.0,\"AutonomousSystemNumber\":8075.0,\"ResultDescription\":\"wrong\"}}\n\
         {start},\"Id\":\"2\",\"ResultType\":0.0}}\n"
    );
    let json = evidence.write("widened.json", json);
    assert_eq!(ask(&[query, &json]).0, expected);
    assert_eq!(ask(&[failures, &json]).0, "1");
    let graph = format!(
        "{{\"createdDateTime\":\"{TIME}\",\"id\":\"3\",\"isInteractive\":true,\
         \"status\":{{\"errorCode\":0.0,\"failureReason\":\"Other.\"}}}}\n"
    );
    let graph = evidence.write("graph.json", graph);
    assert_eq!(ask(&["SigninLogs | project Id, ResultType, ResultDescription", &graph]).0, "3,0,");
    let csv = "TimeGenerated,Type,Id,ResultType,AutonomousSystemNumber,OperationVersion,ResultDescription\n\
               2026-03-02T00:00:00Z,SigninLogs,1,50126.0,8075.0,1.0,wrong\n2026-03-02T00:00:00Z,SigninLogs,2,0.0,,1.0,\n";
    let csv = evidence.write("widened.csv", csv);
    assert_eq!(ask(&[query, &csv]).0, expected);
    assert_eq!(ask(&[failures, &csv]).0, "1");
    // A column of a user-defined table has the type that its file implies.
    let own = evidence.write("own.json", "{\"ResultType\":50126.0}\n{\"ResultType\":\"x\"}\n");
    assert_eq!(ask(&["T", "-t", &format!("T={own}")]).0, "50126.0\nx");
}

/// Search-job rows in Parquet, mixed with others: each has the time and the table of the original row.
#[test]
fn search_job_rows_in_parquet_belong_to_the_original_table() {
    let evidence = Evidence::new();
    let rows = "datatable(TimeGenerated:datetime, Type:string, _OriginalTimeGenerated:datetime, _OriginalType:string, Id:string) \
                [datetime(2026-05-01), 'bg_SRCH', datetime(2026-03-02), 'SigninLogs', 'job', \
                datetime(2026-05-01), 'bg_SRCH', datetime(2026-03-02), 'AuditLogs', 'other', \
                datetime(2026-03-03), 'SigninLogs', datetime(null), '', 'plain']";
    let file = evidence.parquet("job.parquet", rows);
    let (found, said) = ask(&["SigninLogs | project Id, format_datetime(TimeGenerated, 'MM-dd'), Type", &file]);
    assert_eq!(found, "job,03-02,SigninLogs\nplain,03-03,SigninLogs");
    assert!(said.contains("search-job rows"), "{said}");
    // Statistics of the job's times prune nothing, and only the original time is used for the time range.
    let march = ["--from", "2026-03-01", "--to", "2026-03-03"];
    assert_eq!(ask(&[&["SigninLogs | project Id", &file][..], &march].concat()).0, "job");
    let query = "SigninLogs | where TimeGenerated < datetime(2026-03-04) | sort by TimeGenerated desc | project Id, _SourceLine";
    assert_eq!(ask(&[query, &file, "--provenance"]).0, "plain,3\njob,1");
    assert_eq!(ask(&["AuditLogs | project Id", &file]).0, "other");
    let kinds = ask(&["sniff", &file]).0;
    assert!(kinds.contains("AuditLogs") && kinds.contains("2026-03-02") && !kinds.contains("SRCH"), "{kinds}");
    // The same without the columns with the name of the table.
    let times = format!("{rows} | where Id == 'job' | project-away Type, _OriginalType");
    let file = evidence.parquet("times.parquet", &times);
    assert_eq!(ask(&["SigninLogs | project format_datetime(TimeGenerated, 'MM-dd')", &file]).0, "03-02");
}

/// `union` splits a column that has different types in two tables into a column for each type.
#[test]
fn union_columns_are_one_column_of_the_table() {
    let evidence = Evidence::new();
    let rows = "datatable(TimeGenerated:datetime, Type:string, Id:string, DeviceDetail_dynamic:dynamic, DeviceDetail_string:string) \
                [datetime(2026-03-02), 'SigninLogs', 'a', dynamic({\"browser\":\"Edge 140\"}), '', \
                datetime(2026-03-02), 'SigninLogs', 'b', dynamic(null), '{\"browser\":\"Safari 26\"}', \
                datetime(2026-03-02), 'AADNonInteractiveUserSignInLogs', 'c', dynamic(null), '{\"browser\":\"Firefox 140\"}', \
                datetime(2026-03-02), 'SigninLogs', 'd', dynamic(null), '']";
    for ending in ["parquet", "arrow"] {
        let file = evidence.path(&format!("union.{ending}"));
        assert_eq!(coldcase(&[rows, "-o", ending, "-O", &file]).code, 0);
        let of_row = |query: &str| ask(&[query, &file, "--strict"]);
        let (found, said) = of_row("SigninLogs | project Id, tostring(DeviceDetail.browser)");
        assert_eq!(found, "a,Edge 140\nb,Safari 26\nd,", "{ending}");
        assert!(!said.contains("DeviceDetail"), "{ending}: {said}");
        let query = "SigninLogs | where DeviceDetail.browser startswith 'Safari' | project Id, DeviceDetail";
        assert_eq!(of_row(query).0, "b,\"{\"\"browser\"\":\"\"Safari 26\"\"}\"", "{ending}");
        let query = "AADNonInteractiveUserSignInLogs | where DeviceDetail has 'Firefox' | project Id";
        assert_eq!(of_row(query).0, "c", "{ending}");
        assert_eq!(of_row("SigninLogs | where isempty(DeviceDetail) | project Id").0, "d", "{ending}");
    }
    // Together with the column itself, and with columns copied by a search job.
    let rows = "datatable(TimeGenerated:datetime, Type:string, _OriginalTimeGenerated:datetime, _OriginalType:string, \
                Id:string, Status:dynamic, Status_string:string) \
                [datetime(2026-05-01), 'bg_SRCH', datetime(2026-03-02), 'SigninLogs', 'a', dynamic(null), '{\"errorCode\":1}', \
                datetime(2026-03-03), 'SigninLogs', datetime(null), '', 'b', dynamic({\"errorCode\":2}), '{\"errorCode\":3}']";
    let file = evidence.parquet("both.parquet", rows);
    let query = "SigninLogs | where Status.errorCode > 0 | project Id, toint(Status.errorCode), format_datetime(TimeGenerated, 'MM-dd')";
    assert_eq!(ask(&[query, &file]).0, "a,1,03-02\nb,2,03-03");
}

/// Strings that other tools wrote to dynamic columns are JSON, Python literals, or damage, as in text files.
#[test]
fn strings_in_dynamic_columns_are_json_or_damage() {
    let evidence = Evidence::new();
    let text = |id: &str, value: &str| format!("datetime(2026-03-02), 'SigninLogs', '{id}', \"{value}\"");
    let values = [
        text("a", "{'browser': 'Edge 140', 'isManaged': None}"),
        text("b", "@{browser=Edge 140; isManaged=}"),
        text("c", "{browser: Edge 140"),
        text("d", "nan"),
        text("e", "{\\\"browser\\\":\\\"Safari 26\\\"}"),
        text("f", ""),
    ];
    let head = "datatable(TimeGenerated:datetime, Type:string, Id:string, DeviceDetail:string)";
    // Few distinct strings are a dictionary of the file; many are not.
    let more = "range n from 1 to 200000 step 1 | project TimeGenerated = datetime(2026-03-02), Type = 'SigninLogs', \
                Id = 'n', DeviceDetail = strcat('{\"n\":', n, ', \"browser\":\"', hash_sha256(tostring(n)), '\"}')";
    let few = format!("{head} [{}]", values.join(", "));
    for (name, rows) in [("few", few.clone()), ("many", format!("union ({few}), ({more})"))] {
        for ending in ["parquet", "arrow"] {
            let file = evidence.path(&format!("{name}.{ending}"));
            assert_eq!(coldcase(&[&rows, "-o", ending, "-O", &file]).code, 0);
            for query in [
                "SigninLogs | where Id != 'n' | project Id, tostring(DeviceDetail.browser)",
                "SigninLogs | where isnotnull(DeviceDetail.browser) or Id != 'n' | where Id != 'n' | \
                 extend b = tostring(DeviceDetail.browser), all = DeviceDetail | project Id, b",
            ] {
                let output = coldcase(&[query, &file, "--strict", "-o", "csv"]);
                assert_eq!(output.code, 5, "{name}.{ending}: {output:?}");
                let expected = ["a,Edge 140", "b,", "c,", "d,", "e,Safari 26", "f,"];
                assert_eq!(output.stdout.lines().skip(1).collect::<Vec<_>>(), expected, "{name}.{ending}");
                let said = &output.stderr;
                assert!(said.contains("2 values of DeviceDetail are not JSON"), "{name}.{ending}: {query}: {said}");
                assert!(said.contains("values of DeviceDetail in Python notation"), "{name}.{ending}: {said}");
            }
            let output = coldcase(&["SigninLogs | count", &file, "--strict"]);
            assert_eq!((output.code, output.stderr.contains("not JSON")), (0, false), "{name}.{ending}: {output:?}");
        }
    }
}

/// Keys without a column in the table are reported, in every format.
#[test]
fn unknown_keys_are_reported() {
    let evidence = Evidence::new();
    let rows = "datatable(TimeGenerated:datetime, Type:string, Id:string, _OriginalItemId:string, Verdict:string) \
                [datetime(2026-03-02), 'SigninLogs', 'a', 'x', 'bad']";
    let query = "SigninLogs | project Id";
    for ending in ["parquet", "csv", "jsonl"] {
        let file = evidence.path(&format!("x.{ending}"));
        assert_eq!(coldcase(&[rows, "-o", ending, "-O", &file]).code, 0);
        let (found, said) = ask(&[query, &file]);
        assert_eq!(found, "a");
        assert!(said.contains("\"Verdict\" of ") && said.contains("is not a column of SigninLogs"), "{ending}: {said}");
        assert_eq!(said.matches("is not a column").count(), 1, "{ending}: {said}");
    }
}

/// Rows without a table name: the path names it, or they are sign-ins, in every format.
#[test]
fn rows_without_a_table_are_read() {
    let evidence = Evidence::new();
    let rows = "datatable(TimeGenerated:datetime, Type:string, Id:string) [datetime(2026-03-02), '', 'a', \
                datetime(2026-03-02), 'SigninLogs', 'b', datetime(2026-03-02), 'AuditLogs', 'c']";
    let untold = evidence.parquet("x.parquet", rows);
    let (found, said) = ask(&["SigninLogs | project Id", &untold]);
    assert_eq!(found, "a\nb");
    assert!(said.contains("note: Parquet rows that do not name their table are read as SigninLogs"), "{said}");
    assert_eq!(ask(&["AuditLogs | project Id", &untold]).0, "c");
    let path = evidence.parquet("am-auditlogs/y=2026/x.parquet", rows);
    assert_eq!(ask(&["AuditLogs | project Id", &path]), ("a\nc".to_owned(), String::new()));
    assert_eq!(ask(&["SigninLogs | project Id", &path]).0, "b");
    let without = evidence.parquet("am-auditlogs/z.parquet", &format!("{rows} | project-away Type"));
    assert_eq!(ask(&["AuditLogs | count", &without]), ("3".to_owned(), String::new()));
    let (found, said) = ask(&["SigninLogs | count", &without]);
    assert!(found == "0" && said.contains("(only AuditLogs)"), "{said}");
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Id\":\"d\"}}\n");
    let json = evidence.write("am-auditlogs/x.json", row);
    assert_eq!(ask(&["AuditLogs | project Id", &json]), ("d".to_owned(), String::new()));
    for file in [json, without] {
        assert!(ask(&["sniff", &file]).0.contains(",AuditLogs,"), "{file}");
    }
}

/// Concatenated CSV files, and lines before a header.
#[test]
fn concatenated_csv_files_are_read_completely() {
    let evidence = Evidence::new();
    let (one, other) = ("TimeGenerated [UTC],Type,ResultType,Id", "Id,TimeGenerated [UTC],ResultType,Type");
    let joined =
        format!("{one}\n{TIME},SigninLogs,0,a\n{other}\nb,{TIME},50126,SigninLogs\n{other}\nc,{TIME},0,SigninLogs\n");
    let file = evidence.write("joined.csv", &joined);
    let query = "SigninLogs | project Id, ResultType, _SourceLine";
    let (found, said) = ask(&[query, &file, "--provenance", "--strict"]);
    assert_eq!(found, "a,0,2\nb,50126,4\nc,0,6");
    assert!(said.contains("line 3 is a header with other columns"), "{said}");
    assert!(said.contains("repeated header lines further down are skipped"), "{said}");
    // Rows after an unreadable header are lost, and counted.
    let file = evidence.write("lost.csv", joined.replacen(other, "Id,TimeGenerated [Berlin],ResultType,Type", 1));
    let output = coldcase(&["SigninLogs | count", &file, "--strict"]);
    assert!(
        output.code == 5 && output.stderr.contains("1 record was not read (line 4: its times are not"),
        "{output:?}"
    );
    let shapes = ["\n \n", "#TYPE System.Management.Automation.PSCustomObject\r\n", ","];
    for (number, front) in shapes.into_iter().enumerate() {
        let row = if front == "," { ",0" } else { "" };
        let text = format!("{front}{other}\n{}b,{TIME},50126,SigninLogs\n", row.chars().rev().collect::<String>());
        let file = evidence.write(&format!("{number}.csv"), text);
        assert_eq!(ask(&["SigninLogs | project Id, ResultType", &file]).0, "b,50126", "{front}");
    }
}

/// A file is read once, however many paths lead to it.
#[test]
fn a_file_named_twice_is_read_once() {
    let evidence = Evidence::new();
    let file =
        evidence.write("q/a.json", format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}}\n"));
    let folder = evidence.path("q");
    let (found, said) = ask(&["SigninLogs | count", &folder, &file]);
    assert!(found == "1" && said.contains("a.json was named twice; it is read once"), "{found}: {said}");
    let bindings = ["-t", &format!("T={folder}"), "-t", &format!("T={file}"), "-t", &format!("U={file}")];
    assert_eq!(ask(&[&["T | union U | count"][..], &bindings].concat()).0, "2");
    // A copy is a different file.
    fs::copy(&file, evidence.path("q/copy.json")).expect("copied");
    assert_eq!(ask(&["SigninLogs | count", &folder]).0, "2");
    fs::remove_file(evidence.path("q/copy.json")).expect("removed");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("a.json", evidence.path("q/latest.json")).expect("a link");
        symlink(".", evidence.path("q/loop")).expect("a link");
        fs::hard_link(&file, evidence.path("q/z.json")).expect("a link");
        let root = evidence.path("");
        let (found, said) = ask(&["SigninLogs | count", &root]);
        assert!(found == "1" && said.matches("is the same file as").count() == 2, "{found}: {said}");
        assert!(said.contains("latest.json is the same file as"), "{said}");
        let (rows, said) = ask(&["sniff", &root]);
        assert!(rows.lines().count() == 1 && said.contains("it is read once"), "{rows}");
    }
}

/// With `--strict`, any unread file that may contain data is a failure; documents by name are not.
#[test]
fn strict_applies_to_files_and_entries() {
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}}\n");
    let evidence = Evidence::new();
    let whole = evidence.write("whole/a.json", &row);
    evidence.write("whole/README.txt", "Exported by hand.\n");
    evidence.write("whole/logo.png", b"\x89PNG\x00\x01");
    assert_eq!(ask(&["SigninLogs | count", &evidence.path("whole"), "--strict"]).0, "1");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.add_symlink("link.json", "a.json", options).expect("added");
    zip.start_file("a.json", options).expect("begun");
    std::io::Write::write_all(&mut zip, row.as_bytes()).expect("packed");
    let zip = zip.finish().expect("packed").into_inner();
    let odd: [(&str, &[u8]); 5] = [
        ("b.json.xz", b"\xfd7zXZ\0\0\0"),
        ("c.json", b"{\"foo\":1}\n"),
        ("d.zip", &zip),
        ("e.json", b"Access denied\n"),
        ("f.txt", b"PAR1 and no end"),
    ];
    for (name, bytes) in odd {
        let file = evidence.write(name, bytes);
        let rejects = evidence.path("rejects.jsonl");
        let args = ["SigninLogs | count", &whole, &file, "--rejects", &rejects];
        assert_eq!(coldcase(&args).code, 0, "{name}");
        let kept = fs::read_to_string(&rejects).expect("written");
        assert!(kept.lines().count() == 1 && kept.contains(name), "{name}: {kept}");
        let output = coldcase(&[&args[..], &["--strict"]].concat());
        assert_eq!(output.code, 5, "{name}: {output:?}");
        assert!(output.stderr.contains("not read") || output.stderr.contains("skipped"), "{name}: {output:?}");
    }
}

/// A damaged Parquet file is skipped and counted, like any other; on its own, it is an error.
#[test]
fn a_damaged_parquet_file_does_not_end_the_run() {
    let evidence = Evidence::new();
    let rows = "range n from 1 to 4 step 1 | project TimeGenerated = datetime(2026-03-02), Type = 'SigninLogs', Id = tostring(n)";
    let whole = evidence.parquet("x/whole.parquet", rows);
    let bytes = fs::read(&whole).expect("readable");
    let half = evidence.write("x/half.parquet", &bytes[..bytes.len() / 2]);
    let folder = evidence.path("x");
    let (found, said) = ask(&["SigninLogs | count", &folder]);
    assert!(found == "4" && said.contains("half.parquet: the file was not read (footer: "), "{said}");
    assert_eq!(ask(&["T | count", "-t", &format!("T={folder}")]).0, "4");
    assert_eq!(coldcase(&["SigninLogs | count", &folder, "--strict"]).code, 5);
    for query in ["SigninLogs | count", "SigninLogs | top 1 by TimeGenerated"] {
        assert_eq!(coldcase(&[query, &half]).code, 5, "{query}");
    }
    fs::copy(&half, &whole).expect("copied");
    let output = coldcase(&["SigninLogs | count", &folder]);
    assert!(output.code == 5 && output.stderr.contains("none of the 2 files can be read"), "{output:?}");
}

/// Messages about files bound to a table name that table; restored tables have names of their own.
#[test]
fn bound_files_belong_to_their_table() {
    let evidence = Evidence::new();
    let row = |ty: &str| format!("{{\"TimeGenerated\":\"{TIME}\",{ty}\"Id\":\"1\"}}\n");
    let untold = evidence.write("x.json", row(""));
    let bound = format!("AuditLogs={untold}");
    let (found, said) = ask(&["AuditLogs | count", "-t", &bound]);
    assert_eq!((found.as_str(), said.lines().count()), ("1", 1), "{said}");
    assert!(said.contains("that do not name their table are read as AuditLogs"), "{said}");
    let rows =
        "datatable(TimeGenerated:datetime, Type:string, Id:string) [datetime(2026-03-02), 'SigninLogs_bg_RST', '1']";
    let files = [evidence.write("y.json", row("\"Type\":\"SigninLogs_bg_RST\",")), evidence.parquet("y.parquet", rows)];
    for file in files {
        let (found, said) = ask(&["SigninLogs | project Id, Type", "-t", &format!("SigninLogs={file}")]);
        assert_eq!(found, "1,SigninLogs_bg_RST");
        assert!(said == "note: rows of a restored table are read as SigninLogs, to which they are bound\n", "{said}");
        let (found, said) = ask(&["SigninLogs | count", &file]);
        assert!(found == "0" && said.contains("contain no SigninLogs records"), "{said}");
    }
    let rows = rows.replace("SigninLogs_bg_RST", "AuditLogs");
    let other = format!("SigninLogs={}", evidence.parquet("z.parquet", &rows));
    let (found, said) = ask(&["SigninLogs | count", "-t", &other]);
    assert!(found == "0" && said.contains("contain no SigninLogs records"), "{said}");
}

/// A collector that may keep only successes is reported if its file contains no failures.
#[test]
fn files_without_failed_sign_ins_are_reported() {
    let evidence = Evidence::new();
    let row = |code: u32| {
        let status = format!("{{\"errorCode\": {code},\"failureReason\":\"errorCode\\\":1\"}}");
        format!("{{\"createdDateTime\":\"{TIME}\",\"id\":\"{code}\",\"isInteractive\":true,\"status\":{status}}}\n")
    };
    let failures = evidence.write("AADSigninLog_a.json", row(0) + &row(50126));
    let said = ask(&["SigninLogs | where ResultType != 0 | count", &failures]).1;
    assert!(!said.contains("keeps only successes"), "{said}");
    let successes = evidence.write("AADSigninLog_b.json", row(0).repeat(2));
    let said = ask(&["SigninLogs | where ResultType != 0 | count", &failures, &successes]).1;
    assert!(said.contains("keeps only successes"), "{said}");
}

/// The end of `--last` is the time of the query, and is reported as such.
#[test]
fn the_end_of_last_is_now() {
    let evidence = Evidence::new();
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}}\n");
    let file = evidence.write("a.json", row);
    assert_eq!(ask(&["SigninLogs | count", &file, "--last", "1h", "--now", TIME]).0, "1");
    let (found, said) = ask(&["SigninLogs | count", &file, "--last", "30d", "--now", "2026-03-04T00:00:00Z"]);
    assert!(found == "1" && said.contains("to 2026-03-04T00:00:00.0000000Z, but"), "{said}");
}

/// Headers identify the CSV of application sign-ins, whatever its file name.
#[test]
fn portal_headers_identify_the_table() {
    let evidence = Evidence::new();
    let text = "Date (UTC),Request ID,Service principal ID,Service principal name,Credential key ID,Status,Sign-in error code\n\
                2026-03-02T09:05:11Z,r1,sp1,My SP,k,Failure,7000222\n";
    let file = evidence.write("renamed.csv", text);
    let query = "AADServicePrincipalSignInLogs | project Id, ServicePrincipalName, ResultType";
    let (found, said) = ask(&[query, &file]);
    assert!(found == "r1,My SP,7000222" && !said.contains("do not name their table"), "{found}: {said}");
    let (found, said) = ask(&["SigninLogs | count", &file]);
    assert!(found == "0" && said.contains("(only AADServicePrincipalSignInLogs)"), "{said}");
}

/// A checkpoint replaces the commits that are gone; an incomplete log is refused.
#[test]
fn checkpoints_of_delta_tables_are_read() {
    let evidence = Evidence::new();
    for name in ["a", "b", "c"] {
        let row = format!("print TimeGenerated = datetime(2026-03-02), Type = 'SigninLogs', Id = '{name}'");
        evidence.parquet(&format!("t/{name}.parquet"), &row);
    }
    let log = |name: &str| format!("t/_delta_log/0000000000000000000{name}");
    let checkpoint = "datatable(protocol:dynamic, metaData:dynamic, add:dynamic) \
        [dynamic({\"minReaderVersion\":1}), dynamic(null), dynamic(null), \
        dynamic(null), dynamic({\"partitionColumns\":[]}), dynamic(null), \
        dynamic(null), dynamic(null), dynamic({\"path\":\"a.parquet\"}), \
        dynamic(null), dynamic(null), dynamic({\"path\":\"b.parquet\"})]";
    let file = evidence.parquet(&log("1.checkpoint.parquet"), checkpoint);
    let (folder, query) = (evidence.path("t"), "SigninLogs | project Id");
    assert_eq!(ask(&[query, &folder]).0, "a\nb");
    evidence.write(&log("1.json"), "{\"add\":{\"path\":\"gone.parquet\"}}\n");
    evidence.write(&log("2.json"), "{\"remove\":{\"path\":\"a.parquet\"}}\n{\"add\":{\"path\":\"c.parquet\"}}\n");
    assert_eq!(ask(&[query, &folder]).0, "b\nc");
    // A later checkpoint in two parts, used once both exist.
    let part = |which: &str, rows: &str| {
        evidence.parquet(&log(&format!("2.checkpoint.000000000{which}.0000000002.parquet")), rows)
    };
    evidence.write(&log("3.json"), "{\"remove\":{\"path\":\"b.parquet\"}}\n");
    let first = part("1", checkpoint);
    assert_eq!(ask(&[query, &folder]).0, "c");
    let second = part(
        "2",
        "datatable(protocol:dynamic, metaData:dynamic, add:dynamic) \
        [dynamic(null), dynamic(null), dynamic({\"path\":\"c.parquet\"})]",
    );
    assert_eq!(ask(&[query, &folder]).0, "a\nc");
    for file in [first, second, evidence.path(&log("3.json"))] {
        fs::remove_file(file).expect("removed");
    }
    let refused = |reason: &str| {
        let output = coldcase(&[query, &folder]);
        assert!(output.code == 5 && output.stderr.contains(reason), "{reason}: {output:?}");
    };
    let bytes = fs::read(&file).expect("readable");
    evidence.write(&log("1.checkpoint.parquet"), &bytes[..bytes.len() / 2]);
    refused("damaged log");
    evidence
        .parquet(&log("1.checkpoint.parquet"), &format!("{checkpoint} | extend sidecar = dynamic({{\"path\":\"x\"}})"));
    refused("sidecars");
    evidence.write(&log("1.checkpoint.parquet"), bytes);
    evidence.write(&log("4.json"), "{}");
    refused("lacks commits");
}

/// The day before the month: one unambiguous date proves the order of the others.
#[test]
fn day_first_dates_are_recognised() {
    let evidence = Evidence::new();
    let csv = |dates: [&str; 2]| {
        let row = |id: usize, date: &str| format!("{id},SigninLogs,{date} 0:00:27\n");
        format!("Id,Type,TimeGenerated\n{}{}", row(1, dates[0]), row(2, dates[1]))
    };
    let query = "SigninLogs | project Id, TimeGenerated";
    let proven = "1,2026-02-01T00:00:27.0000000Z\n2,2026-01-31T00:00:27.0000000Z";
    for dates in [["1/2/2026", "31/1/2026"], ["1.2.2026", "31.1.2026"], ["1-2-2026", "31-1-2026"]] {
        let (rows, said) = ask(&[query, &evidence.write("proven.csv", csv(dates))]);
        assert_eq!(rows, proven);
        assert!(said.contains("read day first, as other dates of the files prove"), "{said}");
    }
    for (dates, first, order) in
        [(["1/2/2026", "3/1/2026"], "2026-01-02", "month"), (["1.2.2026", "3.1.2026"], "2026-02-01", "day")]
    {
        let (rows, said) = ask(&[query, &evidence.write("open.csv", csv(dates))]);
        assert!(rows.contains(first), "{rows}");
        assert!(said.contains(&format!("they were read {order} first; specify the order with --date-order")), "{said}");
    }
}

/// File names of a Graph collector give the kind of sign-in if the records do not.
#[test]
fn collector_file_names_identify_the_table() {
    let evidence = Evidence::new();
    let record = format!("[{{\"id\":\"1\",\"createdDateTime\":\"{TIME}\",\"status\":{{\"errorCode\":0}}}}]");
    let file = evidence.write("20260304091500-nonInteractiveUser-SignInLogs.json", record);
    assert_eq!(ask(&["AADNonInteractiveUserSignInLogs | project Id", &file]).0, "1");
    assert_eq!(ask(&["SigninLogs | count", &file]).0, "0");
}

/// Warnings about files also appear for an archive of them, and for an archive of that archive.
#[test]
fn archives_repeat_the_warnings_of_their_originals() {
    let evidence = Evidence::new();
    let status = "\"status\":{\"errorCode\":0}";
    let record = format!("{{\"createdDateTime\":\"{TIME}\",\"id\":\"1\",\"isInteractive\":true,{status}}}\n");
    let torn = record.repeat(2) + "{\"createdDateTime\":\n";
    let original = evidence.write("in/AADSigninLog_a.json", torn);
    evidence.write("in/b.csv", format!("TimeGenerated,Type,Id\n{TIME},SigninLogs,2\n"));
    let (once, twice) = (evidence.path("once"), evidence.path("twice"));
    for (from, to) in [(evidence.path("in"), &once), (once.clone(), &twice)] {
        let output = coldcase(&["convert", &from, "-O", to]);
        assert_eq!(output.code, 0, "{output:?}");
        assert_eq!(output.stderr.matches("keeps only successes").count(), 1, "{output:?}");
    }
    for archive in [once, twice] {
        let (count, said) = ask(&["SigninLogs | where UserAgent has 'curl' | count", &archive]);
        assert_eq!(count, "0");
        for words in [
            "warning: UserAgent is not exported in Microsoft Graph v1.0 records",
            "warning: UserAgent is missing from some of the files that the archive was made of",
            "warning: when the archive was made: AADSigninLog_* files: ",
            &format!("warning: when the archive was made: {original}: 1 record was not read"),
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        let said = ask(&["SigninLogs | where TimeGenerated < ago(1d) | project Id", &archive]).1;
        assert!(
            said.contains(
                "Microsoft Graph records carry no TimeGenerated; createdDateTime (the time of the sign-in) is used"
            ),
            "{said}"
        );
        assert!(!said.contains("UserAgent is"), "{said}");
    }
}

/// A Delta table of three files in month folders, one of which was removed.
fn delta_table(evidence: &Evidence) -> String {
    for name in ["month=1/a", "month=1/stale", "month=2/b"] {
        let row = format!("print TimeGenerated = datetime(2026-03-02), Type = 'SigninLogs', Id = '{name}'");
        evidence.parquet(&format!("d/{name}.parquet"), &row);
    }
    let actions = [("add", "month=1/stale"), ("remove", "month=1/stale"), ("add", "month=1/a"), ("add", "month=2/b")];
    let actions = actions.map(|(action, path)| format!("{{\"{action}\":{{\"path\":\"{path}.parquet\"}}}}\n"));
    evidence.write("d/_delta_log/00000000000000000000.json", actions.concat());
    evidence.path("d")
}

/// The log of a Delta table applies to its Parquet files; files that it does not list are counted.
#[test]
fn files_beside_a_delta_table_are_read() {
    let (evidence, query) = (Evidence::new(), "SigninLogs | project Id");
    let folder = delta_table(&evidence);
    let (found, said) = ask(&[query, &folder, "--strict"]);
    assert_eq!(found, "month=1/a\nmonth=2/b");
    assert_eq!(said, format!("note: {folder}: skipped 1 file that the log of the Delta table does not name\n"));
    evidence.write("d/month=1/.a.parquet.crc", "crc");
    let row = |id: &str| format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\"}}\n");
    evidence.write("d/extra.json", row("json"));
    evidence.write("d/month=2/extra.csv", format!("TimeGenerated,Type,Id\n{TIME},SigninLogs,csv\n"));
    let (found, said) = ask(&[query, &folder, "--strict"]);
    assert_eq!(found, "month=1/a\nmonth=2/b\njson\ncsv");
    assert_eq!(said.lines().count(), 1, "{said}");
    // The same if the log cannot be followed.
    evidence.write("d/_delta_log/00000000000000000001.json", "{\"protocol\":{\"minReaderVersion\":2}}\n");
    let (found, said) = ask(&[query, &folder]);
    assert!(found == "json\ncsv" && said.contains("unsupported protocol features"), "{found}: {said}");
    assert_eq!(coldcase(&[query, &folder, "--strict"]).code, 5);
}

/// A part of a Delta table consists of what the log lists of it, however it is named.
#[test]
fn a_part_of_a_delta_table_follows_its_log() {
    let (evidence, query) = (Evidence::new(), "SigninLogs | project Id");
    let folder = delta_table(&evidence);
    for part in ["month=1", "month=1/*.parquet", "**/month=1/*.parquet", "month=1/"] {
        let (found, said) = ask(&[query, &format!("{folder}/{part}"), "--strict"]);
        assert!(
            found == "month=1/a" && said.contains("1 file that the log of the Delta table"),
            "{part}: {found}: {said}"
        );
    }
    let (found, said) = ask(&[query, &format!("{folder}/month=1/s*.parquet")]);
    assert!(found.is_empty() && said.contains("names none of the requested files"), "{found}: {said}");
    // A nested table has its own log.
    for name in ["x", "y"] {
        let row = format!("print TimeGenerated = datetime(2026-03-02), Type = 'SigninLogs', Id = '{name}'");
        evidence.parquet(&format!("d/month=1/inner/{name}.parquet"), &row);
    }
    let log = "d/month=1/inner/_delta_log/00000000000000000000.json";
    evidence.write(log, "{\"add\":{\"path\":\"x.parquet\"}}\n");
    assert_eq!(ask(&[query, &folder]).0, "month=1/a\nmonth=2/b\nx");
    assert_eq!(ask(&[query, &format!("{folder}/month=1")]).0, "month=1/a\nx");
    fs::remove_file(evidence.path("d/month=1/a.parquet")).expect("removed");
    assert_eq!(ask(&[query, &format!("{folder}/month=2")]).0, "month=2/b");
    let output = coldcase(&[query, &format!("{folder}/month=1"), "-o", "csv", "--strict"]);
    assert!(output.code == 5 && output.stderr.contains("month=1/a.parquet"), "{output:?}");
    assert_eq!(output.stdout.replace("\r\n", "\n"), "Id\nx\n");
}

/// A file that a Delta table lacks does not hide the rows of other files and sources.
#[test]
fn a_missing_file_of_a_delta_table_is_damage() {
    let evidence = Evidence::new();
    let table = delta_table(&evidence);
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"other\"}}\n");
    let other = evidence.write("other.json", row);
    fs::remove_file(evidence.path("d/month=2/b.parquet")).expect("removed");
    let query = "SigninLogs | project Id";
    let (found, said) = ask(&[query, &table, &other]);
    assert_eq!(found, "month=1/a\nother");
    assert!(said.contains("missing, although the log of its Delta table names it"), "{said}");
    let manifest = evidence.path("manifest.json");
    let output = coldcase(&[query, &table, &other, "--strict", "--manifest", &manifest]);
    assert_eq!(output.code, 5, "{output:?}");
    assert!(fs::read_to_string(&manifest).expect("a manifest").contains("month=2/b.parquet"), "{output:?}");
    let sniffed = coldcase(&["sniff", &table, "-o", "csv"]);
    assert!(sniffed.code == 0 && sniffed.stdout.contains("month=2/b.parquet"), "{sniffed:?}");
    let verified = coldcase(&["verify", &table, "-o", "csv"]);
    assert!(verified.code == 5 && verified.stdout.contains(",not read,"), "{verified:?}");
    // A log that cannot be read at all.
    fs::remove_file(evidence.path("d/_delta_log/00000000000000000000.json")).expect("removed");
    let (found, said) = ask(&[query, &table, &other]);
    assert!(found == "other" && said.contains("a Delta table whose log lacks commits"), "{found}: {said}");
}

/// A Delta table whose files were all removed has no rows, even if the files still exist.
#[test]
fn an_empty_delta_table_has_no_rows() {
    let evidence = Evidence::new();
    let folder = delta_table(&evidence);
    let removed = ["month=1/a", "month=2/b"].map(|path| format!("{{\"remove\":{{\"path\":\"{path}.parquet\"}}}}\n"));
    evidence.write("d/_delta_log/00000000000000000001.json", removed.concat());
    for _ in 0..2 {
        let (found, said) = ask(&["SigninLogs | count", &folder, "--strict"]);
        assert!(found == "0" && said.contains("names none of the requested files"), "{found}: {said}");
        assert!(ask(&["sniff", &folder]).1.contains("names none of the requested files"));
        for month in ["month=1", "month=2"] {
            let _ = fs::remove_dir_all(evidence.path(&format!("d/{month}")));
        }
    }
}

/// The log of a Delta table in an archive is not followed, and its files are not read without it.
#[test]
fn delta_tables_in_archives_are_refused() {
    let evidence = Evidence::new();
    let folder = delta_table(&evidence);
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"json\"}}\n");
    evidence.write("d/extra.json", row);
    for prefix in ["", "cp/"] {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in ["_delta_log/00000000000000000000.json", "month=1/a.parquet", "month=1/stale.parquet", "extra.json"]
        {
            zip.start_file(format!("{prefix}{name}"), zip::write::SimpleFileOptions::default()).expect("begun");
            let bytes = fs::read(format!("{folder}/{name}")).expect("readable");
            std::io::Write::write_all(&mut zip, &bytes).expect("packed");
        }
        let zip = evidence.write("x.zip", zip.finish().expect("packed").into_inner());
        let (found, said) = ask(&["SigninLogs | project Id", &zip]);
        let table = format!("{zip}/{prefix}");
        let table = table.trim_end_matches('/');
        let note = format!("warning: not read: a Delta table inside an archive: extract it first: {table}\n");
        assert_eq!((found.as_str(), said.as_str()), ("json", note.as_str()));
        assert_eq!(coldcase(&["SigninLogs | count", &zip, "--strict"]).code, 5);
    }
}

/// Hidden files in folders and archives, and broken links, are skipped, reported and counted as unread.
#[test]
fn hidden_files_are_reported() {
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}}\n");
    let (evidence, query) = (Evidence::new(), "SigninLogs | count");
    let meant = ["f/a.json", "f/.collected/b.json", "f/s/.b.json", "f/s/.c/d.json", "f/.e.csv"];
    let ignored = ["f/.DS_Store", "f/._a.json", "f/.git/x.json", "f/.azDownload-1-a.json", "f/.empty/.gitignore"];
    for name in meant.into_iter().chain(ignored) {
        evidence.write(name, &row);
    }
    let folder = evidence.path("f");
    let (found, said) = ask(&[query, &folder]);
    let [collected, csv, b, c] = ["f/.collected", "f/.e.csv", "f/s/.b.json", "f/s/.c"].map(|name| evidence.path(name));
    let note = format!("warning: not read: hidden: {collected}, {csv}, {b} and 1 more; name them to read them\n");
    assert_eq!((found.as_str(), said.as_str()), ("1", note.as_str()));
    assert_eq!(coldcase(&[query, &folder, "--strict"]).code, 5);
    assert!(ask(&["sniff", &folder]).1.contains(&note));
    let archive = evidence.path("archive");
    let output = coldcase(&["convert", &folder, "-O", &archive]);
    assert!(output.code == 0 && output.stderr.contains(&note), "{output:?}");
    let rejects = evidence.path("rejects.jsonl");
    let _ = ask(&[query, &folder, "--rejects", &rejects]);
    assert_eq!(fs::read_to_string(&rejects).expect("written").lines().count(), 4);
    // Hidden files that are named are read; files that do not match a pattern are not reported.
    assert_eq!(ask(&[query, &folder, &collected, &b, &c, "-q"]).0, "4");
    assert_eq!(ask(&[query, &evidence.path("f/*.json"), "--strict"]), ("1".to_owned(), String::new()));
    let said = ask(&[query, &evidence.path("f/**/*.json")]).1;
    assert!(said.contains(&format!("hidden: {collected}, {b}, {c}; name")), "{said}");
    let output = coldcase(&[query, &evidence.path("f/.empty")]);
    assert!(output.code == 5 && output.stderr.contains("the folder contains no file"), "{output:?}");
    // Archive entries are treated like files in folders.
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in meant.into_iter().chain(ignored).chain(["__MACOSX/a.json"]) {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        std::io::Write::write_all(&mut zip, row.as_bytes()).expect("packed");
    }
    let zip = evidence.write("x.zip", zip.finish().expect("packed").into_inner());
    let (found, said) = ask(&[query, &zip]);
    let note = format!("hidden: {zip}/f/.collected, {zip}/f/.e.csv, {zip}/f/s/.b.json and 1 more; extract the archive");
    assert!(found == "1" && said.contains(&note), "{said}");
    assert_eq!(coldcase(&[query, &zip, "--strict"]).code, 5);
    #[cfg(unix)]
    {
        evidence.write("l/a.json", &row);
        std::os::unix::fs::symlink("nowhere", evidence.path("l/b.json")).expect("a link");
        let (found, said) = ask(&[query, &evidence.path("l")]);
        let note = format!("warning: not read: broken symbolic links: {}\n", evidence.path("l/b.json"));
        assert_eq!((found, said), ("1".to_owned(), note));
        assert_eq!(coldcase(&[query, &evidence.path("l"), "--strict"]).code, 5);
    }
}

/// Of concatenated zip archives the last one is read, and the data before it is reported.
#[test]
fn concatenated_zip_archives_are_reported() {
    let evidence = Evidence::new();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("a.json", zip::write::SimpleFileOptions::default()).expect("begun");
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}}\n");
    std::io::Write::write_all(&mut zip, row.as_bytes()).expect("packed");
    let zip = zip.finish().expect("packed").into_inner();
    let file = evidence.write("x.zip", [&zip[..], &zip].concat());
    let (found, said) = ask(&["SigninLogs | count", &file]);
    let prefix = format!("{file}/its first {} bytes", zip.len());
    let is_told = said.contains("not read: they are not part of the archive") && said.contains(&prefix);
    assert!(found == "1" && is_told, "{found}: {said}");
    assert!(ask(&["sniff", &file]).0.contains("they are not part of the archive"));
    assert_eq!(coldcase(&["SigninLogs | count", &file, "--strict"]).code, 5);
}

/// A manifest names the files from which nothing was read.
#[test]
fn manifests_name_unread_files() {
    let evidence = Evidence::new();
    let row = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}}\n");
    let whole = evidence.write("a.json", row);
    let packed = evidence.write("b.json.xz", b"\xfd7zXZ\0\0\0");
    let manifest = evidence.path("manifest.json");
    assert_eq!(ask(&["SigninLogs | count", &whole, &packed, "--manifest", &manifest]).0, "1");
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(manifest).expect("written")).expect("JSON");
    assert_eq!(manifest["notRead"][0]["file"], packed.as_str());
    assert_eq!(manifest["notRead"][0]["reason"], "xz is not supported");
}
