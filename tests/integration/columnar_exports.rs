//! Parquet and Arrow files that other tools wrote of exports: the same values and messages as from JSON and CSV.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Int32Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray, StructArray,
};
use arrow::datatypes::Field;
use arrow::ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;

use crate::command::{Output, coldcase};

/// A folder of files for one test.
struct Evidence(tempfile::TempDir);

impl Evidence {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("written");
        self.path(name)
    }

    /// Writes a file with the rows of a query, in the format of its extension, as another program would.
    fn rows(&self, name: &str, query: &str) -> String {
        let path = self.write(name, "");
        let format = name.rsplit('.').next().expect("an extension");
        let output = coldcase(&[query, "-o", format, "-O", &path]);
        assert_eq!(output.code, 0, "{output:?}");
        if format == "parquet" {
            crate::integrity::unmark(&path);
        }
        path
    }

    /// Writes columns in the format of the extension.
    fn columns(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> String {
        let path = self.write(name, "");
        let (batch, file) =
            (RecordBatch::try_from_iter(columns).expect("columns"), File::create(&path).expect("a file"));
        if name.ends_with("parquet") {
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("begun");
            writer.write(&batch).expect("written");
            writer.close().expect("written");
        } else {
            let mut writer = FileWriter::try_new(file, &batch.schema()).expect("begun");
            writer.write(&batch).expect("written");
            writer.finish().expect("written");
        }
        path
    }

    /// A file of sign-ins with these times, as KQL literals of the type `ty`.
    fn times(&self, name: &str, ty: &str, times: &[&str]) -> String {
        let row = |(id, time): (usize, &&str)| format!("'{id}', 'SigninLogs', {time}");
        let rows: Vec<String> = times.iter().enumerate().map(row).collect();
        self.rows(name, &format!("datatable(Id:string, Type:string, TimeGenerated:{ty})[{}]", rows.join(", ")))
    }
}

/// The exit code of a strict run, the result as CSV without its header, and the messages.
fn ask(args: &[&str]) -> (i32, String, String) {
    let Output { code, stdout, stderr } = coldcase(&[args, &["-o", "csv", "--strict"]].concat());
    (code, stdout.lines().skip(1).collect::<Vec<_>>().join("\n"), stderr)
}

const TIMES: &str = "SigninLogs | project TimeGenerated";

#[test]
fn dates_in_strings_have_the_order_that_is_proven() {
    let evidence = Evidence::new();
    for format in ["parquet", "arrow"] {
        for (dates, first) in [
            (["'02/03/2026 09:07'", "'28/03/2026 09:07'"], "2026-03-02T09:07:00.0000000Z"),
            (["'02.03.2026 09:07'", "'28.03.2026 09:07'"], "2026-03-02T09:07:00.0000000Z"),
            (["'02-03-2026 09:07'", "'03-28-2026 09:07'"], "2026-02-03T09:07:00.0000000Z"),
        ] {
            let file = evidence.times(&format!("proven.{format}"), "string", &dates);
            let (code, rows, said) = ask(&[TIMES, &file]);
            assert_eq!((code, rows), (0, format!("{first}\n2026-03-28T09:07:00.0000000Z")), "{said}");
            assert!(said.contains("first, as other dates of the files prove"), "{said}");
        }
        let file = evidence.times(&format!("open.{format}"), "string", &["'02/03/2026 09:07'", "'04/03/2026 09:07'"]);
        let (code, rows, said) = ask(&[TIMES, &file]);
        assert_eq!((code, rows.lines().next()), (5, Some("2026-02-03T09:07:00.0000000Z")), "{said}");
        assert!(said.contains("2 values of TimeGenerated may have the day or the month first"), "{said}");
        let (code, rows, said) = ask(&[TIMES, &file, "--date-order", "dmy"]);
        assert_eq!((code, rows.lines().next()), (0, Some("2026-03-02T09:07:00.0000000Z")), "{said}");
        let both = evidence.times(&format!("both.{format}"), "string", &["'03/28/2026'", "'28/03/2026'", "'2/3/2026'"]);
        let (code, _, said) = ask(&[TIMES, &both]);
        assert_eq!(code, 5, "{said}");
        assert!(said.contains("both day-first and month-first dates"), "{said}");
    }
}

/// A file proves the order in other files of its format with the same columns, for queries and for archives.
#[test]
fn dates_of_another_file_prove_the_order() {
    let evidence = Evidence::new();
    for format in ["parquet", "arrow"] {
        let [first, second] = [("a", "'02/03/2026'"), ("b", "'31/03/2026'")]
            .map(|(name, date)| evidence.times(&format!("{name}.{format}"), "string", &[date]));
        let archive = evidence.path(&format!("archive-{format}"));
        let expected = (0, "2026-03-02T00:00:00.0000000Z\n2026-03-31T00:00:00.0000000Z".to_owned());
        let (code, rows, said) = ask(&[TIMES, &first, &second]);
        assert_eq!((code, rows), expected, "{said}");
        let output = coldcase(&["convert", &first, &second, "-O", &archive, "--strict"]);
        assert_eq!(output.code, 0, "{output:?}");
        let (code, rows, said) = ask(&[TIMES, &archive]);
        assert_eq!((code, rows), expected, "{said}");
    }
}

#[test]
fn numbers_in_a_column_of_times_count_a_unit() {
    let evidence = Evidence::new();
    let expected = "2026-03-02T09:07:43.5000000Z";
    for format in ["parquet", "arrow"] {
        for (ty, time, unit) in [
            ("real", "1772442463.5", "seconds"),
            ("long", "1772442463500", "milliseconds"),
            ("real", "1772442463500.0", "milliseconds"),
            ("long", "1772442463500000", "microseconds"),
            ("long", "1772442463500000000", "nanoseconds"),
            ("decimal", "decimal(1772442463.5)", "seconds"),
            ("string", "'1772442463500'", "milliseconds"),
        ] {
            let file = evidence.times(&format!("a.{format}"), ty, &[time, time]);
            let (code, rows, said) =
                ask(&["SigninLogs | where TimeGenerated > datetime(2026-03-01) | project TimeGenerated", &file]);
            assert_eq!((code, rows), (0, format!("{expected}\n{expected}")), "{ty} {time}: {said}");
            let note = format!("numbers in TimeGenerated are read as {unit} since 1970");
            assert!(said.contains(&note), "{ty} {time}: {said}");
        }
        let file = evidence.times(&format!("b.{format}"), "long", &["46083", "1772442463"]);
        let (code, rows, said) = ask(&[TIMES, &file]);
        assert_eq!((code, rows), (5, "\"\"\n2026-03-02T09:07:43.0000000Z".to_owned()), "{said}");
        assert!(said.contains("1 value of TimeGenerated cannot be read as a datetime"), "{said}");
    }
}

/// Rows of a table with a similar name are damage, and no note says that they belong to another table.
#[test]
fn rows_of_a_similar_table_are_not_said_to_belong_to_another() {
    let evidence = Evidence::new();
    let names = ["SignInLogs2", "OfficeActivity", "Contoso_CL", "SigninLogs"];
    let record = |name: &str| format!("{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"{name}\"}}\n");
    let row = |name: &str| format!("datetime(2026-03-02), '{name}'");
    let rows = names.map(row).join(", ");
    let files = [
        evidence.write("a.json", &names.map(record).concat()),
        evidence.rows("a.parquet", &format!("datatable(TimeGenerated:datetime, Type:string)[{rows}]")),
    ];
    for file in files {
        let (code, count, said) = ask(&["SigninLogs | count", &file]);
        assert_eq!((code, &*count), (5, "1"), "{said}");
        assert!(said.contains("skipped 1 record of \"SignInLogs2\", which may be rows of SigninLogs"), "{said}");
        let note = "records of \"Contoso_CL\" belong to other tables, not to SigninLogs";
        assert!(said.contains(note), "{said}");
        let said = ask(&["search 'absent' | count", &file]).2;
        assert_eq!(said.matches("note: records of").count(), 1, "{said}");
        let sniffed = coldcase(&["sniff", &file, "-o", "jsonl"]).stdout;
        assert!(
            sniffed.contains("records of \\\"Contoso_CL\\\", \\\"SignInLogs2\\\"") || file.ends_with("json"),
            "{sniffed}"
        );
    }
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn object(members: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let member = |(name, array): (&str, ArrayRef)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array);
    Arc::new(StructArray::from(members.into_iter().map(member).collect::<Vec<_>>()))
}

/// The members of two sign-ins as Microsoft Graph has them.
fn sign_ins() -> Vec<(&'static str, ArrayRef)> {
    let codes: ArrayRef = Arc::new(Int32Array::from(vec![0, 50126]));
    vec![
        ("id", strings(&["1", "2"])),
        ("createdDateTime", strings(&["2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"])),
        ("userPrincipalName", Arc::new(LargeStringArray::from(vec!["priya@contoso.com", "tomas@contoso.com"]))),
        ("ipAddress", Arc::new(StringViewArray::from(vec!["203.0.113.7", "203.0.113.8"]))),
        ("isInteractive", Arc::new(BooleanArray::from(vec![true, true]))),
        ("status", object(vec![("errorCode", codes)])),
    ]
}

fn graph_json(id: u32, name: &str, code: u32) -> String {
    format!(
        "{{\"id\":\"{id}\",\"createdDateTime\":\"2026-03-02T09:00:00Z\",\"userPrincipalName\":\"{name}@contoso.com\",\
         \"isInteractive\":true,\"status\":{{\"errorCode\":{code}}}}}"
    )
}

fn diagnostic_json(id: u32, name: &str, code: u32) -> String {
    let properties = graph_json(id, name, code);
    format!("{{\"time\":\"2026-03-02T09:00:00Z\",\"category\":\"SignInLogs\",\"properties\":{properties}}}")
}

const SIGN_INS: &str = "SigninLogs | project Id, UserPrincipalName, ResultType | order by Id asc";
const TWO: &str = "1,priya@contoso.com,0\n2,tomas@contoso.com,50126";

/// Records of every export shape are found in columnar files, as columns, structs, strings and bytes.
#[test]
fn records_in_columnar_files_are_found() {
    let evidence = Evidence::new();
    let times = || strings(&["2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"]);
    let [first, second] = [("priya", 0), ("tomas", 50126)];
    let both = |record: &dyn Fn(u32, &str, u32) -> String| [record(1, first.0, first.1), record(2, second.0, second.1)];
    let graph = both(&graph_json);
    let raw = strings(&[&graph[0], &graph[1]]);
    let events = format!("{{\"records\":[{}]}}", both(&diagnostic_json).join(","));
    let diagnostic = || {
        vec![
            ("time", times()),
            ("category", strings(&["SignInLogs", "SignInLogs"])),
            ("properties", object(sign_ins())),
        ]
    };
    for format in ["parquet", "arrow"] {
        for (name, columns) in [
            ("graph", sign_ins()),
            ("diagnostic", diagnostic()),
            ("raw", vec![("_time", times()), ("_raw", Arc::clone(&raw))]),
            ("body", vec![("Body", Arc::new(BinaryArray::from(vec![events.as_bytes()])) as ArrayRef)]),
        ] {
            let file = evidence.columns(&format!("{name}.{format}"), columns);
            let (code, rows, said) = ask(&[SIGN_INS, &file]);
            assert_eq!((code, &*rows), (0, TWO), "{name}: {said}");
            let bound = SIGN_INS.replace("SigninLogs", "Mine");
            let (code, rows, said) = ask(&[&bound, "-t", &format!("Mine={file}")]);
            assert_eq!((code, &*rows), (0, TWO), "{name}: {said}");
            let (code, rows, said) = ask(&["SigninLogs | project _SourceLine, _SourceByte", &file, "--provenance"]);
            let lines = if name == "body" { "1,\n1," } else { "1,\n2," };
            assert_eq!((code, &*rows), (0, lines), "{name}: {said}");
            let (_, rows, said) = ask(&["AuditLogs | count", &file]);
            assert_eq!(rows, "0", "{said}");
            assert!(said.contains("no AuditLogs records (only SigninLogs)"), "{name}: {said}");
            let sniffed = coldcase(&["sniff", &file, "-o", "jsonl"]).stdout;
            assert!(sniffed.contains("\"Table\":\"SigninLogs\""), "{name}: {sniffed}");
            let archive = evidence.path(&format!("archive-{name}-{format}"));
            assert_eq!(coldcase(&["convert", &file, "-O", &archive, "--strict"]).code, 0);
            assert_eq!(ask(&[SIGN_INS, &archive]).1, TWO);
        }
    }
}

/// Rows without a known record are an error, as records of JSON are, and unreadable ones among others are damage.
#[test]
fn rows_that_are_no_records_are_damage() {
    let evidence = Evidence::new();
    for format in ["parquet", "arrow"] {
        let columns = vec![("host", strings(&["a", "b"])), ("message", strings(&["started", "{stopped"]))];
        let file = evidence.columns(&format!("other.{format}"), columns);
        for query in ["SigninLogs | count", "AuditLogs | take 1"] {
            let (code, rows, said) = ask(&[query, &file]);
            assert_eq!((code, &*rows), (5, ""), "{said}");
            assert!(said.contains("no records of a known table, only records of unrecognised shape"), "{said}");
        }
        let graph = graph_json(1, "priya", 0);
        let raw = strings(&[&graph, &graph[..graph.len() - 4], "", &graph.replace("\"1\"", "\"3\"")]);
        let file = evidence.columns(&format!("torn.{format}"), vec![("_raw", raw)]);
        let rejects = evidence.path(&format!("{format}.rejects"));
        let (code, rows, said) = ask(&["SigninLogs | project Id", &file, "--rejects", &rejects]);
        assert_eq!((code, &*rows), (5, "1\n3"), "{said}");
        assert!(said.contains("of unrecognised shape"), "{said}");
        let rejects = fs::read_to_string(rejects).expect("rejects");
        assert!(rejects.contains("row 2"), "{rejects}");
        let sniffed = coldcase(&["sniff", &file, "-o", "jsonl"]).stdout;
        assert!(sniffed.contains("of unrecognised shape"), "{sniffed}");
    }
}

/// What other tools make of the columns of a table: lower case, time zones, parts of objects, nulls, real numbers.
#[test]
fn rows_of_a_table_are_read_however_their_columns_are_spelled() {
    let evidence = Evidence::new();
    let time = "datetime(2026-03-02T09:00:00Z)";
    let query = "SigninLogs | where TimeGenerated > datetime(2026-01-01) | project UserPrincipalName, ResultType, \
                 tostring(DeviceDetail.browser)";
    for (name, rows, expected) in [
        (
            "lower",
            format!(
                "datatable(timegenerated:datetime, type:string, userprincipalname:string, resulttype:string, \
                     devicedetail:dynamic)[{time}, 'SigninLogs', 'ana', '0', dynamic({{'browser': 'Edge'}})]"
            ),
            "ana,0,Edge",
        ),
        (
            "zones",
            format!(
                "datatable(['TimeGenerated [UTC]']:datetime, Type:string, UserPrincipalName:string, \
                     ResultType:string)[{time}, 'SigninLogs', 'ana', '0']"
            ),
            "ana,0,",
        ),
        (
            "parts",
            format!(
                "datatable(TimeGenerated:datetime, Type:string, UserPrincipalName:string, ResultType:string, \
                     ['DeviceDetail.browser']:string)[{time}, 'SigninLogs', 'ana', '0', 'Edge']"
            ),
            "ana,0,Edge",
        ),
        (
            "nulls",
            format!(
                "datatable(TimeGenerated:datetime, CreatedDateTime:datetime, Type:string, UserPrincipalName:string, \
                     ResultType:string)[{time}, {time}, 'SigninLogs', 'ana', '0', datetime(null), {time}, \
                     'SigninLogs', 'ben', '50126.0']"
            ),
            "ana,0,\nben,50126,",
        ),
        (
            "created",
            format!(
                "datatable(CreatedDateTime:datetime, Type:string, UserPrincipalName:string, ResultType:string)\
                     [{time}, 'SigninLogs', 'ana', '0.0']"
            ),
            "ana,0,",
        ),
        (
            "numbers",
            format!(
                "datatable(TimeGenerated:datetime, Type:string, UserPrincipalName:string, ResultType:string)\
                     [{time}, 'SigninLogs', 'ana', '50126.0']"
            ),
            "ana,50126,",
        ),
    ] {
        for extension in ["parquet", "arrow"] {
            let file = evidence.rows(&format!("{name}.{extension}"), &rows);
            if name == "nulls" && extension == "arrow" {
                // Arrow files have no counts of nulls, by which rows without a time are found before they are read.
                let (code, found, said) = ask(&[query, &file]);
                assert_eq!((code, found.as_str()), (5, "ana,0,"), "{said}");
                assert!(said.contains("1 row has no TimeGenerated"), "{said}");
                continue;
            }
            let (code, found, said) = ask(&[query, &file]);
            assert_eq!((code, found.as_str()), (0, expected), "{name}.{extension}: {said}");
            // Bound answers of this program are read as they are, and its Arrow files say that they are answers.
            if extension == "parquet" {
                let (code, found, said) = ask(&[query, "-t", &format!("SigninLogs={file}")]);
                assert_eq!((code, found.as_str()), (0, expected), "bound {name}.{extension}: {said}");
            }
        }
    }
}

#[test]
fn sign_ins_without_a_result_are_told() {
    let evidence = Evidence::new();
    for name in ["results.parquet", "results.arrow"] {
        let results: ArrayRef = Arc::new(StringArray::from(vec![Some("0"), None]));
        let file = evidence.columns(
            name,
            vec![
                ("TimeGenerated", strings(&["2026-03-02T09:00:00Z", "2026-03-02T09:00:01Z"])),
                ("Type", strings(&["SigninLogs", "SigninLogs"])),
                ("ResultType", results),
            ],
        );
        let (code, found, said) = ask(&["SigninLogs | where ResultType == 0 | count", &file]);
        assert_eq!((code, found.as_str()), (5, "1"), "{name}: {said}");
        assert!(said.contains("1 sign-in without ResultType"), "{name}: {said}");
        assert_eq!(ask(&["SigninLogs | count", &file]).0, 0);
    }
}

#[test]
fn missing_and_doubtful_values_are_told_as_in_other_formats() {
    let evidence = Evidence::new();
    let query = "SigninLogs | project Id, TimeGenerated, UserPrincipalName, ResultType, tostring(DeviceDetail.browser)";
    for format in ["parquet", "arrow"] {
        let times = ("TimeGenerated", strings(&["2026-03-02T09:00:00Z", "2026-03-02T09:01:00Z"]));
        let results: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![f64::NAN, 50126.0]));
        let read = |name: &str, columns: Vec<(&'static str, ArrayRef)>| {
            let common = vec![("Type", strings(&["SigninLogs"; 2])), ("Id", strings(&["1", "2"]))];
            ask(&[query, &evidence.columns(&format!("{name}.{format}"), [common, columns].concat())])
        };
        // No number, and a column whose name differs from another one in case.
        let names = ("UserPrincipalName", strings(&["bg@contoso.com", ""]));
        let other = ("userprincipalname", strings(&["ana@contoso.com", "ana@contoso.com"]));
        let (code, rows, said) = read("a", vec![times.clone(), ("ResultType", results), names, other]);
        assert_eq!(code, 5, "{said}");
        assert_eq!(rows.lines().last(), Some("2,2026-03-02T09:01:00.0000000Z,,50126,"));
        assert!(!rows.contains("NaN") && said.contains("1 sign-in without ResultType"), "{rows} {said}");
        assert!(said.contains("\"userprincipalname\" differs from UserPrincipalName in case"), "{said}");
        // No column of times.
        let codes = ("ResultType", strings(&["0", "0"]));
        let (code, _, said) = read("b", vec![codes.clone()]);
        assert!(code == 5 && said.contains("2 rows have no TimeGenerated"), "{said}");
        // Half of a character inside an object.
        let devices = ("DeviceDetail", strings(&["{\"browser\":\"A\\ud83d\"}", "{\"browser\":\"B\"}"]));
        let (code, _, said) = read("c", vec![times, codes, devices]);
        assert!(code == 5 && said.contains("1 value of DeviceDetail has an unpaired surrogate"), "{said}");
    }
}

#[test]
fn columns_of_other_tables_are_unknown() {
    let evidence = Evidence::new();
    evidence.rows("risks.parquet", "datatable(Type:string, TimeGenerated:datetime, IpAddress:string)['AADUserRiskEvents', datetime(2026-03-02), '203.0.113.77']");
    evidence.rows("signins.parquet", "datatable(Type:string, TimeGenerated:datetime, Id:string, Team_CF:string)['SigninLogs', datetime(2026-03-02), '1', 'red']");
    let folder = evidence.path(".");
    let Output { code, stderr, .. } = coldcase(&["SigninLogs | project Id, IpAddress", &folder]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("unknown column `IpAddress`"), "{stderr}");
    let Output { code, stdout, stderr } = coldcase(&["SigninLogs | project Id, Team_CF", &folder, "-o", "csv"]);
    assert_eq!((code, stdout.as_str()), (0, "Id,Team_CF\r\n1,red\r\n"), "{stderr}");
}
