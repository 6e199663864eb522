//! The catalog file, the environment, and the precedence of flag, environment and file.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::command::{program, root};

/// Runs the program in `folder`, without the user's own settings.
pub fn run_in(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(program());
    command.args(args).current_dir(folder).env("XDG_CONFIG_HOME", folder.join("settings")).env("NO_COLOR", "1");
    command.envs(environment.iter().copied()).stdin(std::process::Stdio::null());
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Creates a folder with a catalog file and the data that it names.
pub fn archive(catalog: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |id: u32, minute: u32| {
        format!(
            "{{\"TimeGenerated\":\"2026-03-02T09:0{minute}:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\",\"CreatedDateTime\":\"2026-03-01T09:00:00Z\"}}\n"
        )
    };
    fs::create_dir_all(folder.path().join("data/more")).expect("folders");
    fs::write(folder.path().join("data/1.json"), [row(1, 1), row(2, 2), row(2, 3)].concat()).expect("written");
    fs::write(folder.path().join("data/more/2.json"), row(3, 4)).expect("written");
    fs::write(folder.path().join("coldcase.toml"), catalog).expect("written");
    folder
}

pub const CATALOG: &str = "[defaults]\noutput = 'csv'\n\n[tables.SigninLogs]\npaths = ['data']\n\n[tables.Missing]\npaths = ['nowhere/*.json']\n";

#[test]
fn tables_of_the_catalog_file() {
    let folder = archive(CATALOG);
    let run = |args: &[&str], environment: &[(&str, &str)]| run_in(folder.path(), args, environment);
    let count = |args: &[&str]| run(&[&["SigninLogs | count"], args].concat(), &[]).1;
    assert_eq!(count(&[]), "Count\n4\n");
    // Paths and bindings on the command line take precedence.
    assert_eq!(count(&["-c", "coldcase.toml", "data/more"]), "Count\n1\n");
    assert_eq!(count(&["-c", "coldcase.toml", "-t", "SigninLogs=data/1.json"]), "Count\n3\n");
    // A table whose files are missing matters only to queries that use it.
    assert_eq!(run(&["Missing | count"], &[]).0, 5);
    // In another working folder, paths are relative to the catalog file.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("coldcase.toml").display().to_string();
    assert_eq!(run_in(elsewhere.path(), &["SigninLogs | count", "-c", &file], &[]).1, "Count\n4\n");
    assert_eq!(run_in(elsewhere.path(), &["SigninLogs | count"], &[("COLDCASE_CATALOG", &file)]).1, "Count\n4\n");
    // The user's settings, if there is no catalog file here.
    fs::create_dir_all(elsewhere.path().join("settings/coldcase")).expect("folders");
    let text = CATALOG.replace("'data'", &format!("'{}'", folder.path().join("data").display()));
    fs::write(elsewhere.path().join("settings/coldcase/config.toml"), text).expect("written");
    assert_eq!(run_in(elsewhere.path(), &["SigninLogs | count"], &[]).1, "Count\n4\n");
}

#[test]
fn flags_override_the_environment_which_overrides_the_file() {
    let folder = archive(&CATALOG.replace("'csv'\n", "'csv'\ndedup = 'Id'\n"));
    let run = |args: &[&str], environment: &[(&str, &str)]| {
        run_in(folder.path(), &[&["SigninLogs | count"], args].concat(), environment).1
    };
    assert_eq!(run(&[], &[]), "Count\n3\n");
    assert_eq!(run(&[], &[("COLDCASE_OUTPUT", "jsonl")]), "{\"Count\":3}\n");
    assert_eq!(run(&["-o", "tsv"], &[("COLDCASE_OUTPUT", "jsonl")]), "Count\n3\n");
    assert_eq!(run(&[], &[("COLDCASE_DEDUP", "CreatedDateTime")]), "");
    assert_eq!(run(&["--dedup", "Id"], &[("COLDCASE_DEDUP", "CreatedDateTime")]), "Count\n3\n");
    for variable in ["COLDCASE_THREADS", "COLDCASE_MAX_DECOMPRESSED", "COLDCASE_MAX_MEMORY"] {
        assert_eq!(run_in(folder.path(), &["print 1"], &[(variable, "many")]).0, 2, "{variable}");
    }
}

#[test]
fn sizes_are_numbers_or_strings() {
    for size in ["1000", "'1000'", "'1K'"] {
        let folder = archive(&CATALOG.replace("'csv'\n", &format!("'csv'\nmax-decompressed = {size}\n")));
        let packed = zstd::encode_all(&[b' '; 5_000][..], 1).expect("packed");
        fs::write(folder.path().join("data/bomb.json"), packed).expect("written");
        let run =
            |args: &[&str], environment| run_in(folder.path(), &[&["SigninLogs | count"], args].concat(), environment);
        assert_eq!(run(&[], &[]).0, 6, "{size}");
        assert_eq!(run(&[], &[("COLDCASE_MAX_DECOMPRESSED", "1M")]).0, 0, "{size}");
        assert_eq!(run(&["--max-decompressed", "1M"], &[("COLDCASE_MAX_DECOMPRESSED", "1")]).0, 0, "{size}");
    }
    assert_eq!(run_in(archive("[defaults]\nmax-decompressed = 'much'\n").path(), &["print 1"], &[]).0, 2);
}

#[test]
fn the_time_column_of_a_table() {
    let folder = archive(&CATALOG.replace("['data']\n", "['data']\ntime-column = 'CreatedDateTime'\n"));
    let run =
        |args: &[&str]| run_in(folder.path(), &[&["SigninLogs | count", "--from", "2026-03-02"], args].concat(), &[]).1;
    assert_eq!(run(&[]), "Count\n0\n");
    assert_eq!(run(&["--time-column", "TimeGenerated"]), "Count\n4\n");
}

#[test]
fn unsupported_settings_are_refused_by_name() {
    for (text, word) in [
        ("[rules]\npaths = ['x']\n", "unknown section [rules]; expected one of [defaults], [tables.NAME]"),
        ("[backtest]\npause = '5m'\n", "pause"),
        ("[functions]\npath = 'x'\n", "path"),
        ("[defaults]\ntimeout = '1m'\n", "timeout"),
        ("[tables.T]\npaths = ['data']\nshape = 'graph'\n", "graph"),
        ("[tables.T]\npaths = ['data']\nschema = 'x.json'\n", "schema"),
        ("[tables.T]\n", "paths"),
        ("no toml", "coldcase.toml"),
    ] {
        let (code, stdout, stderr) = run_in(archive(text).path(), &["print 1"], &[]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{text}");
        assert!(stderr.contains(word), "{text}: {stderr}");
    }
    assert_eq!(run_in(root(), &["print 1", "-c", "no/such/file.toml"], &[]).0, 5);
}

#[test]
fn tables_shows_what_patterns_match() {
    let folder = archive(CATALOG);
    let (code, stdout, _) =
        run_in(folder.path(), &["tables", "-o", "json", "-c", "coldcase.toml", "-t", "T=data/*.json"], &[]);
    assert_eq!(code, 0);
    let rows: Json = serde_json::from_str(&stdout).expect("JSON");
    let row = |index: usize| {
        (
            rows[index]["Table"].as_str().unwrap_or(""),
            rows[index]["Files"].as_i64(),
            rows[index]["From"].as_str().unwrap_or(""),
        )
    };
    assert_eq!(row(0), ("T", Some(1), "-t"));
    assert_eq!(row(1), ("Missing", Some(0), "coldcase.toml"));
    assert_ne!(rows[1]["Problem"], "");
    assert_eq!(row(2), ("SigninLogs", Some(2), "coldcase.toml"));
    // The defaults of the catalog file apply to it, too.
    assert!(run_in(folder.path(), &["tables"], &[]).1.starts_with("Table,Pattern,From,Files,Bytes,Problem\n"));
}

#[test]
fn the_ingestion_time_of_a_table() {
    let record = |id: u32, more: &str| {
        format!("{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\"{more}}}\n")
    };
    let folder = archive(CATALOG);
    let received = record(1, ",\"_TimeReceived\":\"2026-03-02T09:05:00Z\"");
    fs::write(folder.path().join("data/1.json"), received).expect("written");
    fs::write(folder.path().join("data/more/2.json"), record(2, "")).expect("written");
    fs::write(folder.path().join("kept.json"), "{\"a\":1,\"_IngestionTime\":\"2026-03-02T10:00:00Z\"}\n")
        .expect("written");
    let run = |query: &str| run_in(folder.path(), &[query], &[]);

    let late = "SigninLogs | where ingestion_time() > datetime(2026-03-02 09:01) | project Id";
    let (status, answer, said) = run(late);
    assert_eq!((status, answer.as_str()), (0, "Id\n1\n"));
    assert!(said.contains("KQL5003") && said.contains("_TimeReceived, which is slightly earlier"), "{said}");
    // A column that only the records of a known table have.
    let more = "[{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"_IngestionTime\":\"2026-03-02T09:07:00Z\"}]";
    fs::write(folder.path().join("more.json"), more).expect("written");
    let exact = ["SigninLogs | project At = ingestion_time()", "more.json", "-c", "coldcase.toml"];
    let exact = run_in(folder.path(), &exact, &[]);
    assert_eq!(exact.1, "At\n2026-03-02T09:07:00.0000000Z\n", "{exact:?}");
    assert!(!exact.2.contains("KQL5003"), "{exact:?}");
    // After operators that keep the column, and sorted together with them.
    let ordered = "SigninLogs | where Id != '' | extend n = 1 | top 1 by ingestion_time() desc | project-away n | project ingestion_time()";
    assert_eq!(run(ordered).1, "$IngestionTime\n2026-03-02T09:05:00.0000000Z\n");
    // Tables of a union without the column give null.
    let both =
        "union SigninLogs, (print a = 1) | summarize n = count() by Has = isnotnull(ingestion_time()) | order by Has";
    assert_eq!(run(both).1, "Has,n\ntrue,1\nfalse,2\n");
    // A column of the export is exact, and so is one that the user names.
    let named = ["kept | project ingestion_time()", "kept.json", "-c", "coldcase.toml", "-q"];
    let kept = run_in(folder.path(), &named, &[]);
    assert_eq!((kept.1.as_str(), kept.2.as_str()), ("$IngestionTime\n2026-03-02T10:00:00.0000000Z\n", ""));
    let named = CATALOG.replace("['data']\n", "['data']\ningestion-column = 'TimeGenerated'\n");
    fs::write(folder.path().join("coldcase.toml"), named).expect("written");
    let (_, answer, said) = run("SigninLogs | summarize count() by ingestion_time()");
    assert_eq!(
        (answer.as_str(), said.contains("KQL5003")),
        ("$IngestionTime,count_\n2026-03-02T09:00:00.0000000Z,2\n", false)
    );
    fs::write(
        folder.path().join("coldcase.toml"),
        CATALOG.replace("['data']\n", "['data']\ningestion-column = 'Id'\n"),
    )
    .expect("written");
    let (status, _, said) = run(late);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("no datetime column Id"), "{said}");
}

#[test]
fn watchlists() {
    let watchlists = "[watchlists]\nIds = 'lists/ids.csv'\nMissing = 'lists/none.csv'\n[watchlists.VIPUsers]\npath = 'lists/vip.csv'\nsearch-key = 'User Principal Name'\n";
    let folder = archive(&format!("{CATALOG}{watchlists}"));
    fs::create_dir_all(folder.path().join("lists")).expect("folders");
    fs::write(folder.path().join("lists/ids.csv"), "Id,Since\n2,2026-03-01T00:00:00Z\n007,true\n").expect("written");
    let people = "User Principal Name,Level\nann@contoso.com,1\n\"bo, the boss\",\n";
    fs::write(folder.path().join("lists/vip.csv"), people).expect("written");
    fs::write(folder.path().join("lists/ids.json"), "[{\"Id\":3,\"Ok\":true,\"At\":1.50}]").expect("written");
    let run = |args: &[&str]| run_in(folder.path(), args, &[]);
    let answer = |args: &[&str]| {
        let (status, answer, said) = run(args);
        assert_eq!(status, 0, "{said}");
        answer
    };
    // Values are strings, whatever they look like.
    let types = "_GetWatchlist('Ids') | getschema | project ColumnName, ColumnType";
    assert_eq!(answer(&[types]), "ColumnName,ColumnType\nId,string\nSince,string\n");
    assert_eq!(answer(&["_GetWatchlist('Ids')"]), "Id,Since\n2,2026-03-01T00:00:00Z\n007,true\n");
    let keyed =
        "SearchKey,User Principal Name,Level\nann@contoso.com,ann@contoso.com,1\n\"bo, the boss\",\"bo, the boss\",\n";
    assert_eq!(answer(&["_GetWatchlist('VIPUsers')"]), keyed);
    // In every position that allows a table.
    assert_eq!(answer(&["SigninLogs | where Id in ((_GetWatchlist('Ids') | project Id)) | count"]), "Count\n2\n");
    let let_list = "let Ids = (_GetWatchlist('Ids') | project Id); SigninLogs | where Id !in (Ids) | count";
    assert_eq!(answer(&[let_list]), "Count\n2\n");
    let scalar = "let n = toscalar(_GetWatchlist('Ids') | count); print n, toscalar(_GetWatchlist('Ids') | project Id)";
    assert_eq!(answer(&[scalar]), "print_0,print_1\n2,2\n");
    assert_eq!(answer(&["union withsource=From (_GetWatchlist('VIPUsers')) | count"]), "Count\n2\n");
    // A flag overrides the file, and paths on the command line do not affect watchlists.
    let json = [
        "SigninLogs | where Id in (_GetWatchlist('Ids') | project Id) | count",
        "--watchlist",
        "Ids=lists/ids.json",
        "data",
        "-c",
        "coldcase.toml",
    ];
    assert_eq!(answer(&json), "Count\n1\n");
    assert_eq!(
        answer(&["_GetWatchlist('Ids')", "--watchlist", "Ids[Ok]=lists/ids.json"]),
        "SearchKey,Id,Ok,At\ntrue,3,true,1.50\n"
    );

    let fails = |args: &[&str], status: i32, text: &str| {
        let (was, _, said) = run(args);
        assert_eq!(was, status, "{said}");
        assert!(said.contains(text), "{said}");
    };
    fails(&["_GetWatchlist('vipusers')"], 3, "KQL2016");
    fails(&["_GetWatchlist('vipusers')"], 3, "did you mean `VIPUsers`?");
    fails(&["_GetWatchlist('Ids', dynamic(['2']))"], 4, "KQL3003");
    let direct = "KQL3003";
    fails(&["SigninLogs | where Id in (_GetWatchlist('Ids'))"], 4, direct);
    fails(&["let L = _GetWatchlist('Ids'); SigninLogs | where Id in (L)"], 4, direct);
    fails(&["print toscalar(_GetWatchlist('Ids'))"], 4, direct);
    fails(&["_GetWatchlist()"], 3, "KQL2005");
    fails(&["_GetWatchlist(1)"], 3, "KQL2006");
    fails(&["print _GetWatchlist('Ids')"], 3, "KQL2012");
    fails(&["_GetWatchlist('Missing')"], 5, "none.csv");
    fails(&["_GetWatchlist('Ids')", "--watchlist", "Ids[None]=lists/ids.csv"], 2, "no column None");
    fails(&["print 1", "--watchlist", "Ids[None=lists/ids.csv"], 2, "ALIAS[COLUMN]=PATH");
    fails(&["_GetWatchlist('Rows')", "--watchlist", "Rows=data/1.json"], 5, "records of SigninLogs");
    fs::write(folder.path().join("coldcase.toml"), "[watchlists.A]\npath = 'x'\nkey = 'y'\n").expect("written");
    fails(&["print 1"], 2, "expected a path, or a table with path, search-key and encoding");
}
