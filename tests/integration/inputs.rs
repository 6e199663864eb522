//! The inputs of a run are determined before it starts: sources, catalogs, times, placeholders; a forgotten source is
//! an error.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::catalog::run_in;
use crate::command::{Output, coldcase, coldcase_at, coldcase_with, folder};

const SIGNINS: &str = "testdata/signinlogs";

/// Sign-ins with these Ids, a minute apart from 09:00.
fn signins(ids: &[&str]) -> String {
    let row = |(minute, id): (usize, &&str)| {
        format!(
            "{{\"TimeGenerated\":\"2026-03-02T09:{minute:02}:00Z\",\"Type\":\"SigninLogs\",\"ResultType\":\"0\",\"Id\":\"{id}\"}}\n"
        )
    };
    ids.iter().enumerate().map(row).collect()
}

fn refused(output: &Output, words: &str) {
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
    assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
}

#[test]
fn a_table_without_files_is_a_usage_error() {
    let folder =
        folder(&[("q.jsonl", "{\"id\":1,\"query\":\"print 1\"}\n{\"id\":2,\"query\":\"SigninLogs | count\"}\n")]);
    let queries = folder.path().join("q.jsonl").display().to_string();
    for args in [
        &["SigninLogs | count"][..],
        &["SigninLogs | count", "--strict"],
        &["SigninLogs | count", "-t", "T=testdata/signinlogs"],
        &["union SigninLogs, AuditLogs"],
        &["union isfuzzy=true SigninLogs, AuditLogs"],
        &["table('SigninLogs') | count"],
        &["let T = SigninLogs; T | count"],
        &["print toscalar(SigninLogs | count)"],
        &["explain", "SigninLogs | count"],
        &["explain", "--analyze", "SigninLogs | count"],
        &["schema", "SigninLogs"],
        &["batch", &queries],
        &["search 'x'"],
        &["union *"],
        &["stdin | count"],
    ] {
        let output = coldcase(args);
        assert_eq!(output.code, 2, "{args:?}: {output:?}");
        assert!(output.stderr.contains("nothing to read"), "{args:?}: {output:?}");
        assert!(!output.stdout.contains("Count"), "{args:?}: {output:?}");
    }
    refused(
        &coldcase(&["convert", "-O", &folder.path().join("new").display().to_string()]),
        "no input: give files, folders or globs",
    );
    // A batch on stdin leaves no data on stdin: only the query without data fails.
    let pack = "{\"id\":1,\"query\":\"SigninLogs | count\"}\n{\"id\":2,\"query\":\"AuditLogs | count\"}\n";
    assert_eq!(coldcase_with(&["batch", "-"], pack).code, 2);
    let some = coldcase_with(&["batch", "-", "-t", "SigninLogs=testdata/signinlogs"], pack);
    assert_eq!(some.code, 1, "{some:?}");
    assert!(some.stdout.contains("[[10]]") && some.stdout.contains("\"code\":2"), "{some:?}");
    refused(&coldcase_with(&["batch", "-", "-"], pack), "stdin cannot hold both the queries and data");
    refused(&coldcase_with(&["-f", "-", "-"], "stdin | count"), "stdin cannot hold both the query and data");
    // Missing tables are allowed if the query says so.
    let fuzzy = coldcase(&["union isfuzzy=true SigninLogs, AuditLogs | count", "-t", "SigninLogs=testdata/signinlogs"]);
    assert_eq!((fuzzy.code, fuzzy.stdout.as_str()), (0, "{\"Count\":10}\n"), "{fuzzy:?}");
    assert!(fuzzy.stderr.contains("AuditLogs") && fuzzy.stderr.contains("skipped because of isfuzzy"), "{fuzzy:?}");
}

#[test]
fn bindings_ignore_case_and_misspellings_are_refused() {
    for name in ["SigninLogs", "signinlogs", "SIGNINLOGS", "SignInLogs"] {
        let output = coldcase(&["SigninLogs | count", "-t", &format!("{name}={SIGNINS}")]);
        assert_eq!((output.code, output.stdout.as_str()), (0, "{\"Count\":10}\n"), "{name}: {output:?}");
    }
    for name in ["SigninLog", "SignnLogs", "SigninsLogs", "AuditLog", "aadriskyuser"] {
        let binding = format!("{name}={SIGNINS}");
        for args in [
            &["SigninLogs | count", "-t", &binding, SIGNINS][..],
            &["tables", "-t", &binding],
            &["convert", "-t", &binding, "-O", "target/never"],
        ] {
            refused(&coldcase(args), "did you mean");
        }
        let folder = folder(&[("coldcase.toml", &format!("[tables.{name}]\npaths = ['x']\n"))]);
        let (code, _, said) = run_in(folder.path(), &["print 1"], &[]);
        assert!(code == 2 && said.contains("did you mean"), "{name}: {said}");
    }
    let folder = folder(&[
        ("data/a.json", &signins(&["1", "2"])),
        ("coldcase.toml", "[tables.signinLOGS]\npaths = ['data']\ntime-column = 'TimeGenerated'\n"),
    ]);
    assert_eq!(run_in(folder.path(), &["SigninLogs | count"], &[]).1, "{\"Count\":2}\n");
    fs::write(
        folder.path().join("coldcase.toml"),
        "[tables.signinLOGS]\npaths = ['data']\n[tables.SigninLogs]\npaths = ['data']\n",
    )
    .expect("written");
    let (code, _, said) = run_in(folder.path(), &["SigninLogs | count"], &[]);
    assert!(code == 2 && said.contains("is defined twice"), "{said}");
    // Table names that the user defines are accepted.
    let own = coldcase(&["SigninLogs2 | count", "-t", &format!("SigninLogs2={SIGNINS}")]);
    assert_eq!((own.code, own.stdout.as_str()), (0, "{\"Count\":10}\n"), "{own:?}");
}

#[test]
fn unused_sources_are_reported() {
    let bound = format!("T={SIGNINS}");
    let output = coldcase(&["SigninLogs | count", "-t", &bound, SIGNINS]);
    assert!(output.stderr.contains("note: testdata/signinlogs is not read: it is bound to T"), "{output:?}");
    let both = format!("SigninLogs={SIGNINS}");
    let output = coldcase(&["SigninLogs | count", "-t", &both, "testdata/shapes", "-q"]);
    assert!(output.stderr.contains("warning: testdata/shapes is not read"), "{output:?}");
    for args in [&["SigninLogs | count", SIGNINS][..], &["union * | count", SIGNINS, "-t", &bound]] {
        assert!(!coldcase(args).stderr.contains("is not read"), "{args:?}");
    }
    let said = coldcase(&["SigninLogs | count", "-t", &both, "-v"]).stderr;
    assert!(said.contains("source: SigninLogs is read from testdata/signinlogs (-t)"), "{said}");
}

const PLANTED: &str = "[functions]\npaths = ['f.kql']\n[defaults]\noutput = 'csv'\ndedup = 'Id'\n";
const HIDING: &str = ".create-or-alter function SigninLogs() { datatable(Id:string)['planted'] }\n";

/// A folder of evidence that contains a catalog file left by somebody else, and an empty folder beside it.
fn planted() -> TempDir {
    folder(&[
        ("evidence/coldcase.toml", PLANTED),
        ("evidence/f.kql", HIDING),
        ("evidence/logs/a.json", &signins(&["1", "2", "2"])),
        ("evidence/b.json", &signins(&["3"])),
        ("work/none.txt", ""),
    ])
}

#[test]
fn a_catalog_beside_the_evidence_is_not_used() {
    let folder = planted();
    let evidence = folder.path().join("evidence");
    let all = evidence.display().to_string();
    let logs = "{\"Count\":3}\n";
    for (args, wanted) in [
        (&["logs"][..], logs),
        (&["logs/a.json"], logs),
        (&["./logs/../logs"], logs),
        (&["logs/*.json"], logs),
        (&["../evidence/logs"], logs),
        (&["-t", "SigninLogs=logs"], logs),
        (&["-t", "signinlogs=*/a.json"], logs),
        (&["../*/logs"], logs),
        (&[&all], "{\"Count\":4}\n"),
        (&[".."], "{\"Count\":4}\n"),
    ] {
        let (code, answer, said) = run_in(&evidence, &[&["SigninLogs | count"], args].concat(), &[]);
        assert_eq!((code, answer.as_str()), (0, wanted), "{args:?}: {said}");
        assert!(said.contains("warning: the catalog coldcase.toml") && said.contains("-c coldcase.toml"), "{said}");
    }
    // Catalog files inside the input are ignored too, by every command.
    let (_, answer, said) = run_in(&evidence.join("logs"), &["SigninLogs | count", ".."], &[]);
    assert_eq!(answer, "{\"Count\":4}\n", "{said}");
    fs::write(evidence.join("logs/coldcase.toml"), PLANTED.replace("f.kql", "../f.kql")).expect("written");
    let (_, answer, said) = run_in(&evidence.join("logs"), &["SigninLogs | count", "../b.json", ".."], &[]);
    assert_eq!(answer, "{\"Count\":4}\n", "{said}");
    for args in [
        &["schema", "SigninLogs", "."][..],
        &["explain", "SigninLogs", "."],
        &["sniff", "."],
        &["tables", "."],
        &["convert", ".", "-O", "../archive"],
    ] {
        let (code, answer, said) = run_in(&evidence, args, &[]);
        assert_eq!(code, 0, "{args:?}: {said}");
        assert!(said.contains("warning: the catalog coldcase.toml"), "{args:?}: {said}");
        assert!(!answer.contains("planted") && !answer.contains("Column,Type"), "{args:?}: {answer}");
    }
    // An ignored catalog file may be unreadable.
    fs::write(evidence.join("coldcase.toml"), "no toml").expect("written");
    assert_eq!(run_in(&evidence, &["SigninLogs | count", "b.json"], &[]).1, "{\"Count\":1}\n");
}

#[cfg(unix)]
#[test]
fn links_do_not_hide_a_catalog_beside_the_evidence() {
    use std::os::unix::fs::symlink;

    let folder = planted();
    let (evidence, work) = (folder.path().join("evidence"), folder.path().join("work"));
    symlink(&evidence, folder.path().join("other")).expect("a link");
    symlink(evidence.join("logs"), work.join("logs")).expect("a link");
    symlink(evidence.join("b.json"), work.join("b.json")).expect("a link");
    let other = folder.path().join("other").display().to_string();
    let inside = work.display().to_string();
    let linked = format!("{inside}/b.json");
    for path in [other.as_str(), &format!("{other}/logs"), &linked] {
        let (code, answer, said) = run_in(&evidence, &["SigninLogs | project Id", path], &[]);
        assert!(code == 0 && !answer.contains("planted") && answer.starts_with('{'), "{path}: {answer}{said}");
    }
    // The working folder is named through a link, or the catalog file is one.
    let (_, answer, said) = run_in(&folder.path().join("other"), &["SigninLogs | count", "logs"], &[]);
    assert_eq!(answer, "{\"Count\":3}\n", "{said}");
    symlink(evidence.join("coldcase.toml"), work.join("coldcase.toml")).expect("a link");
    let file = evidence.join("b.json").display().to_string();
    let (_, answer, said) = run_in(&work, &["SigninLogs | count", &file], &[]);
    assert_eq!(answer, "{\"Count\":1}\n", "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_catalog_beside_redirected_stdin_is_not_used() {
    let folder = planted();
    let evidence = folder.path().join("evidence");
    for more in [&[][..], &["-"]] {
        let output = std::process::Command::new(crate::command::program())
            .args([&["SigninLogs | count"], more].concat())
            .current_dir(&evidence)
            .env("XDG_CONFIG_HOME", folder.path())
            .stdin(fs::File::open(evidence.join("b.json")).expect("a file"))
            .output()
            .expect("the program runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"Count\":1}\n", "{output:?}");
    }
}

#[test]
fn a_catalog_is_used_if_it_is_named() {
    let folder = planted();
    let (evidence, work) = (folder.path().join("evidence"), folder.path().join("work"));
    fs::write(work.join("coldcase.toml"), "[defaults]\noutput = 'csv'\n").expect("written");
    let logs = evidence.join("logs").display().to_string();
    let (_, answer, said) = run_in(&work, &["SigninLogs | count", &logs], &[]);
    assert_eq!(answer, "Count\n3\n");
    assert!(said.contains("note: using the catalog coldcase.toml of the working folder"), "{said}");
    assert_eq!(run_in(&work, &["SigninLogs | count", &logs, "--no-catalog"], &[]).1, "{\"Count\":3}\n");
    assert_eq!(run_in(&work, &["SigninLogs | count", &logs, "--no-catalog", "-c", "x.toml"], &[]).0, 2);
    // A catalog file that is named counts wherever it is; if it hides a table, that is damage.
    for environment in [&[][..], &[("COLDCASE_CATALOG", "coldcase.toml")]] {
        let named: &[&str] = if environment.is_empty() { &["-c", "coldcase.toml"] } else { &[] };
        let args = [&["SigninLogs | count", "logs"], named].concat();
        let (code, answer, said) = run_in(&evidence, &args, environment);
        assert_eq!((code, answer.as_str()), (0, "Count\n1\n"), "{said}");
        assert!(
            said.contains("note: using the catalog") && said.contains("the stored function SigninLogs hides the table"),
            "{said}"
        );
        let (code, _, said) = run_in(&evidence, &[&args[..], &["--strict", "-q"]].concat(), environment);
        assert!(code == 5 && said.contains("warning: the stored function SigninLogs hides the table"), "{said}");
    }
    // Without a PATH the catalog is used; that it hides a table is reported all the same.
    let (_, answer, said) = run_in(&evidence, &["SigninLogs | count"], &[]);
    assert!(answer == "Count\n1\n" && said.contains("hides the table SigninLogs"), "{answer}{said}");
    let (_, answer, _) = run_in(&evidence, &["tables"], &[]);
    assert!(answer.contains("it is used instead of the table SigninLogs"), "{answer}");
    for query in
        ["union * | count", "search 'x' | count", "let T = SigninLogs; T | count", "AuditLogs | union SigninLogs"]
    {
        let args = [query, "logs", "-c", "coldcase.toml", "--strict"];
        let view = HIDING.replace("function", "function with (view = true)");
        fs::write(evidence.join("f.kql"), view).expect("written");
        let (code, _, said) = run_in(&evidence, &args, &[]);
        assert!(code == 5 && said.contains("hides the table SigninLogs"), "{query}: {said}");
    }
}

#[test]
fn manifests_name_sources_and_catalog() {
    let folder = planted();
    let (evidence, work) = (folder.path().join("evidence"), folder.path().join("work"));
    let read = |folder: &Path| -> Json {
        serde_json::from_str(&fs::read_to_string(folder.join("m.json")).expect("a manifest")).expect("JSON")
    };
    run_in(&evidence, &["SigninLogs | count", "logs", "--manifest", "m.json"], &[]);
    let manifest = read(&evidence);
    assert_eq!((&manifest["catalog"], &manifest["catalogNotUsed"]), (&Json::Null, &"coldcase.toml".into()));
    assert_eq!(manifest["sources"], json!([{"table": null, "path": "logs", "from": "argument"}]));
    fs::write(work.join("coldcase.toml"), "[tables.SigninLogs]\npaths = ['../evidence/logs']\n").expect("written");
    run_in(&work, &["SigninLogs | count", "-t", "T=../evidence/b.json", "--manifest", "m.json"], &[]);
    let manifest = read(&work);
    assert_eq!(manifest["catalog"]["file"], "coldcase.toml");
    assert_eq!(manifest["catalog"]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(manifest["sources"][0], json!({"table": "T", "path": "../evidence/b.json", "from": "-t"}));
    assert_eq!(manifest["sources"][1]["table"], "SigninLogs");
    let tables =
        |list: &Json| list.as_array().expect("a list").iter().map(|one| one["table"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (tables(&manifest["inputs"]), tables(&manifest["inputsNotAskedFor"])),
        (vec!["SigninLogs".into()], vec!["T".into()])
    );
}

#[test]
fn stdin_is_read_if_it_has_data_and_no_path_is_given() {
    let row = signins(&["piped"]);
    let bound = format!("T={SIGNINS}");
    let count = |args: &[&str], input: &str| coldcase_with(args, input).stdout;
    assert_eq!(count(&["SigninLogs | count"], &row), "{\"Count\":1}\n");
    // Each record counts once, whatever its table.
    assert_eq!(count(&["union * | count"], &row), "{\"Count\":1}\n");
    assert_eq!(count(&["union * | count"], "{\"a\":1}\n{\"a\":2}\n"), "{\"Count\":2}\n");
    assert_eq!(count(&["union * | count", "-"], &row), "{\"Count\":1}\n");
    assert_eq!(count(&["union * | count", "-", SIGNINS], "{\"a\":1}\n"), "{\"Count\":11}\n");
    for query in ["search 'bg-admin-01' | count", "union * | count"] {
        for args in [&["-t", &bound][..], &[SIGNINS]] {
            let output = coldcase_with(&[&[query], args, &["--strict"]].concat(), "");
            assert_eq!(output.code, 0, "{query}: {output:?}");
        }
        let folder = folder(&[("data/a.json", &row), ("coldcase.toml", "[tables.SigninLogs]\npaths = ['data']\n")]);
        let output = coldcase_at(folder.path(), &[query, "--strict"], b"");
        assert_eq!(output.code, 0, "{query}: {output:?}");
    }
    // Piped input that is not read is reported.
    let folder = folder(&[("data/a.json", &row), ("coldcase.toml", "[tables.SigninLogs]\npaths = ['data']\n")]);
    let output = coldcase_at(folder.path(), &["SigninLogs | count"], signins(&["a", "b"]).as_bytes());
    assert_eq!(output.stdout, "{\"Count\":1}\n");
    assert!(!cfg!(unix) || output.stderr.contains("note: stdin is not read"), "{output:?}");
    let both = coldcase_at(folder.path(), &["union SigninLogs, stdin | count"], b"{\"a\":1}\n");
    assert_eq!(both.stdout, "{\"Count\":2}\n", "{both:?}");
}

#[test]
fn a_missing_table_is_reported_by_every_kind_of_query() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive").display().to_string();
    assert_eq!(coldcase(&["convert", SIGNINS, "-O", &archive, "-q"]).code, 0);
    for path in [SIGNINS, &archive, "testdata/shapes/adx-export-parquet"] {
        for query in [
            "AuditLogs | count",
            "union SigninLogs, AuditLogs | count",
            "search in (AuditLogs) 'x'",
            "union AAD* | count",
            "SigninLogs | where Id in ((AuditLogs | project Id)) | count",
            "print toscalar(AuditLogs | count)",
        ] {
            let output = coldcase(&[query, path, "-q"]);
            assert_eq!(output.code, 0, "{query}: {output:?}");
            assert!(output.stderr.contains("warning: the files contain no"), "{path}, {query}: {output:?}");
            assert_eq!(coldcase(&[query, path, "-q", "--strict"]).code, 5, "{path}: {query}");
        }
        // Not every known table has to exist.
        for query in ["union * | count", "search 'bg-admin-01' | count"] {
            let output = coldcase(&[query, path, "--strict"]);
            assert!(output.code == 0 && !output.stderr.contains("the files contain no"), "{path}, {query}: {output:?}");
        }
    }
    let queries = "{\"id\":1,\"query\":\"SigninLogs | count\"}\n{\"id\":2,\"query\":\"AuditLogs | count\"}\n";
    let output = coldcase_with(&["batch", "-", SIGNINS, "--strict", "-q"], queries);
    assert!(output.code == 5 && output.stderr.contains("the files contain no AuditLogs"), "{output:?}");
}

#[test]
fn time_arguments_are_iso_8601_only() {
    let now = ["--now", "2026-03-03T12:00:00Z"];
    for time in [
        "1.3.2026",
        "01/03/2026",
        "3/1/2026",
        "2026/03/01",
        "1 Mar 2026",
        "01-03-2026",
        "2026-03",
        "20",
        "1772434692",
        "yesterday",
        "2026-03-01 9:00 AM",
        "",
    ] {
        for flag in ["--from", "--to", "--now", "--last"] {
            let output = coldcase(&["SigninLogs | count", SIGNINS, flag, time]);
            refused(&output, "expected");
        }
        let query = "declare query_parameters(start:datetime); print start";
        let output = coldcase(&[query, "--param", &format!("start={time}")]);
        if !time.is_empty() {
            assert!(output.code == 3 && output.stderr.contains("2026-03-01T09:00:00Z"), "{time}: {output:?}");
        }
    }
    let of = |from: &str| coldcase(&["SigninLogs | count", SIGNINS, "--from", from, now[0], now[1]]).stdout;
    let whole = of("2026-03-03");
    assert_eq!(whole, "{\"Count\":3}\n");
    for same in ["2026-03-03T00:00:00Z", "2026-03-03 00:00", "20260303", "2026-03-03T01:00:00+01:00", "12h"] {
        assert_eq!(of(same), whole, "{same}");
    }
    let parameter =
        coldcase(&["declare query_parameters(s:datetime); print s = s", "--param", "s=2026-03-01T10:00:00+01:00"]);
    assert_eq!(parameter.stdout, "{\"s\":\"2026-03-01T09:00:00.0000000Z\"}\n", "{parameter:?}");
}

const HUNT: &str = "let starttime = todatetime('{{StartTimeISO}}');\nlet endtime = todatetime('{{EndTimeISO}}');\n";

#[test]
fn placeholders_of_hunting_queries_are_filled() {
    let folder = folder(&[("a.json", &signins(&["1", "2", "3", "4"])), ("b/x.json", "{\"a\":1}\n")]);
    let path = folder.path().join("a.json").display().to_string();
    let count = format!("{HUNT}SigninLogs | where TimeGenerated between (starttime .. endtime) | count");
    let half_open = format!("{HUNT}SigninLogs | where TimeGenerated >= starttime and TimeGenerated < endtime | count");
    let open = format!("{HUNT}SigninLogs | where TimeGenerated > starttime and TimeGenerated < endtime | count");
    // From the data: no comparison excludes any of it, and the chosen values are reported.
    for query in [&count, &half_open, &open] {
        let output = coldcase(&[query, &path]);
        assert_eq!((output.code, output.stdout.as_str()), (0, "{\"Count\":4}\n"), "{output:?}");
        for words in [
            "{{StartTimeISO}} is filled with 2026-03-02T08:59:59.9999999Z",
            "{{EndTimeISO}} is filled with 2026-03-02T09:03:00.0000001Z",
        ] {
            assert!(output.stderr.contains(words), "{output:?}");
        }
    }
    // From the command line, with each bound on its own.
    let of = |query: &str, more: &[&str]| {
        let output = coldcase(&[&[query, &path], more].concat());
        assert_eq!(output.code, 0, "{output:?}");
        (output.stdout, output.stderr)
    };
    let from = ["--from", "2026-03-02T09:01:00Z"];
    let to = ["--to", "2026-03-02T09:02:00Z"];
    assert_eq!(of(&count, &from).0, "{\"Count\":3}\n");
    assert_eq!(of(&count, &to).0, "{\"Count\":3}\n");
    assert_eq!(of(&count, &[from, to].concat()).0, "{\"Count\":2}\n");
    assert_eq!(of(&count, &["--last", "1m", "--now", "2026-03-02T09:03:00Z"]).0, "{\"Count\":2}\n");
    // The lookback of the query is not cut off; without a placeholder, the range is applied.
    let lookback = format!("{HUNT}SigninLogs | where TimeGenerated between ((starttime - 1d) .. endtime) | count");
    assert_eq!(of(&lookback, &[from, to].concat()).0, "{\"Count\":3}\n");
    let start_only = "SigninLogs | where TimeGenerated >= todatetime('{{StartTimeISO}}') | count";
    let (answer, said) = of(start_only, &[from, to].concat());
    assert_eq!(answer, "{\"Count\":1}\n");
    assert!(said.contains("the time range of the call"), "{said}");
    // Every form of literal, table names in strings, and batches.
    for literal in
        ["datetime({{StartTimeISO}})", "todatetime(@'{{ StartTimeISO }}')", "todatetime(```{{StartTimeISO}}```)"]
    {
        let query =
            format!("let f = (t:string) {{ table(t) }}; f('SigninLogs') | where TimeGenerated > {literal} | count");
        assert_eq!(of(&query, &[]).0, "{\"Count\":4}\n", "{literal}");
    }
    let pack = json!({"id": 1, "query": count}).to_string();
    assert!(coldcase_with(&["batch", "-", &path], &pack).stdout.contains("[[4]]"));
    // Placeholders in comments do not count.
    assert_eq!(of("print 1 // {{Anything}}", &[]).0, "{\"print_0\":1}\n");
}

#[test]
fn placeholders_without_a_value_are_errors() {
    for (query, words) in [
        ("SigninLogs | where UserPrincipalName == '{{User}}'", "the placeholder `{{User}}` has no value"),
        ("print x = strcat('a', \"{{ Account_Name }}\")", "`{{Account_Name}}` has no value"),
        ("print datetime({{Day}})", "`{{Day}}` has no value"),
        ("datatable(a:string)['{{X}}']", "`{{X}}` has no value"),
    ] {
        let output = coldcase(&[query, SIGNINS]);
        assert_eq!((output.code, output.stdout.as_str()), (3, ""), "{query}: {output:?}");
        assert!(output.stderr.contains(words) && output.stderr.contains("KQL2014"), "{query}: {output:?}");
    }
    // Diagnostics of a filled query point at the words of the original text.
    let output = coldcase(&["print 'é', '{{X}}'", "--error-format", "json"]);
    let said: Json = serde_json::from_str(output.stderr.trim()).expect("JSON");
    assert_eq!((&said["column"], &said["text"]), (&13.into(), &"{{X}}".into()), "{said}");
    let query = "print todatetime('{{StartTimeISO}}'), nope";
    let output = coldcase(&[query, "--from", "2026-03-01", "--error-format", "json"]);
    let said: Json = serde_json::from_str(output.stderr.trim()).expect("JSON");
    assert_eq!((&said["column"], &said["text"]), (&39.into(), &"nope".into()), "{said}");
    // Data without times.
    let output =
        coldcase_with(&["stdin | where a > todatetime('{{StartTimeISO}}')"], "{\"a\":\"2026-03-01T00:00:00Z\"}\n");
    assert!(output.code == 3 && output.stderr.contains("--from"), "{output:?}");
    let named = ["stdin | where a >= todatetime('{{StartTimeISO}}') | count", "--time-column", "a"];
    assert_eq!(coldcase_with(&named, "{\"a\":\"2026-03-01T00:00:00Z\"}\n").stdout, "{\"Count\":1}\n");
    // Braces without a name are plain characters.
    let plain = coldcase(&["print '{{', '{{}}', '{{1}}', strcat('{', '{X}}')"]);
    assert_eq!(
        plain.stdout, "{\"print_0\":\"{{\",\"print_1\":\"{{}}\",\"print_2\":\"{{1}}\",\"print_3\":\"{{X}}\"}\n",
        "{plain:?}"
    );
    let folder = folder(&[
        ("coldcase.toml", "[functions]\npaths = ['f.kql']\n"),
        ("f.kql", "let F = () { print todatetime('{{StartTimeISO}}') };"),
    ]);
    let (code, _, said) = run_in(folder.path(), &["F"], &[]);
    assert!(code == 3 && said.contains("f.kql") && said.contains("not in stored functions"), "{said}");
}

#[test]
fn files_with_the_same_records_are_noted() {
    let folder = folder(&[
        ("a.json", &signins(&["1", "2", "3"])),
        ("b.json", &signins(&["4", "3", "5"])),
        ("c.json", &signins(&["6"])),
    ]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let said = |args: &[&str]| coldcase(&[&["SigninLogs | count"], args].concat()).stderr;
    let [a, b, c] = ["a.json", "b.json", "c.json"].map(path);
    let (a, b, c) = (a.as_str(), b.as_str(), c.as_str());
    let both = said(&[a, b]);
    assert!(
        both.contains("note:") && both.contains("a.json") && both.contains("b.json") && both.contains("--dedup Id"),
        "{both}"
    );
    for args in [&[a, c][..], &[a], &[a, a], &[a, b, "-q"], &[a, b, "--dedup", "Id"]] {
        assert!(!said(args).contains("a record with the same Id"), "{args:?}");
    }
    // In other shapes and formats, and with an archive of the same records.
    for (one, other) in
        [("graph-beta", "graph-ndjson"), ("diag-hourly", "la-export"), ("graph-beta", "adx-export-parquet")]
    {
        let [one, other] = [one, other].map(|shape| format!("testdata/shapes/{shape}"));
        if Path::new(env!("CARGO_MANIFEST_DIR")).join(&one).exists()
            && Path::new(env!("CARGO_MANIFEST_DIR")).join(&other).exists()
        {
            assert!(said(&[&one, &other]).contains("a record with the same Id"), "{one} {other}");
        }
    }
    // A single archive does not overlap.
    assert!(!said(&[SIGNINS]).contains("a record with the same Id"));
}

/// Large exports that overlap in the middle, as a collector that restarts writes them.
#[test]
fn records_that_repeat_in_the_middle_of_large_files_are_noted() {
    let signins = |ids: std::ops::Range<usize>| {
        let row = |id: usize| {
            let (hour, minute) = (id / 60 % 24, id % 60);
            format!(
                "{{\"TimeGenerated\":\"2026-03-02T{hour:02}:{minute:02}:00Z\",\"Type\":\"SigninLogs\",\
                 \"ResultType\":\"{}\",\"Id\":\"id{id}\",\"UserAgent\":\"{}\"}}\n",
                id % 7,
                "x".repeat(200)
            )
        };
        ids.map(row).collect::<String>()
    };
    let overlap = signins(10_000..14_000) + &signins(1_990..1_999) + &signins(14_000..18_000);
    let folder = folder(&[
        ("a.json", &signins(0..4_000)),
        ("b.json", &overlap),
        ("c.json", &signins(4_000..8_000)),
        ("d.json", &signins(8_000..10_000)),
        ("array.json", &format!("[{}]", signins(3_000..9_000).trim_end().replace('\n', ",\n"))),
    ]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, overlap.as_bytes()).expect("compressed");
    fs::write(folder.path().join("b.json.gz"), encoder.finish().expect("compressed")).expect("written");
    let said = |query: &str, names: &[&str], more: &[&str]| {
        let paths: Vec<String> = names.iter().map(|name| folder.path().join(name).display().to_string()).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        coldcase(&[&[query], &paths[..], more].concat()).stderr
    };
    for (query, names, basis) in [
        ("SigninLogs | count", &["a.json", "b.json"][..], "9 of the 12000 Ids"),
        ("SigninLogs | count", &["d.json", "c.json", "b.json.gz", "a.json"], "9 of the 18000 Ids"),
        ("SigninLogs | project Id", &["a.json", "b.json"], "9 of the 12000 Ids"),
        ("SigninLogs | where ResultType == '1'", &["a.json", "b.json"], "1 of the"),
        ("SigninLogs | summarize by UserAgent", &["a.json", "array.json"], "1000 of the 9000 Ids"),
    ] {
        let noted = said(query, names, &["-o", "csv"]);
        assert!(noted.contains("--dedup Id") && noted.contains(basis), "{query} {names:?}: {noted}");
    }
    for (query, names, more) in [
        ("SigninLogs | count", &["a.json", "c.json", "d.json"][..], &[][..]),
        ("SigninLogs | count", &["a.json", "b.json"], &["--dedup", "Id"]),
        ("SigninLogs | where Id == 'id3'", &["a.json", "b.json"], &[]),
        ("SigninLogs | count", &["b.json"], &[]),
    ] {
        assert!(!said(query, names, more).contains("--dedup Id"), "{query} {names:?}");
    }
    // An archive of one of them beside it, and beside another.
    let path = |name: &str| folder.path().join(name).display().to_string();
    let converted = coldcase(&["convert", &path("c.json"), "-O", &path("archive")]);
    assert_eq!(converted.code, 0, "{converted:?}");
    assert!(said("SigninLogs | count", &["d.json", "c.json", "archive"], &[]).contains("--dedup Id"));
    assert!(said("SigninLogs | where ResultType == '1'", &["archive", "c.json"], &[]).contains("--dedup Id"));
    assert!(!said("SigninLogs | count", &["a.json", "d.json", "archive"], &[]).contains("--dedup Id"));
}

#[test]
fn help_and_misspelt_commands() {
    let help = coldcase(&["help"]);
    assert!(help.code == 0 && help.stdout.contains("Commands:") && help.stdout.contains("sniff"), "{help:?}");
    assert_eq!(coldcase(&["help", "sniff"]).stdout, coldcase(&["sniff", "--help"]).stdout);
    assert_eq!(coldcase(&["help", "snif"]).code, 2);
    for (words, near) in [
        (&["schemas"][..], "schema"),
        (&["schemas", "SigninLogs"], "schema"),
        (&["snif", SIGNINS], "sniff"),
        (&["Sniff", SIGNINS], "sniff"),
        (&["tabels"], "tables"),
        (&["convrt", "no/such/folder"], "convert"),
        (&["hlep"], "help"),
    ] {
        refused(&coldcase(words), &format!("did you mean the command `{near}`?"));
    }
    for words in [&["replay"][..], &["replay", SIGNINS], &["version"]] {
        refused(&coldcase(words), "neither a command nor a table");
    }
    // Table names are not commands.
    assert_eq!(coldcase(&["SigninLogs", SIGNINS]).stdout.lines().count(), 10);
    let near = coldcase(&["SigninLog", SIGNINS]);
    assert!(near.code == 3 && near.stderr.contains("did you mean `SigninLogs`?"), "{near:?}");
    let bound = coldcase(&["snif | count", "-t", &format!("snif={SIGNINS}")]);
    assert_eq!((bound.code, bound.stdout.as_str()), (0, "{\"Count\":10}\n"), "{bound:?}");
}

/// The help of a command lists what the command takes, and nothing that it refuses or ignores.
#[test]
fn help_lists_the_options_that_a_command_takes() {
    let all = ["--file", "--param", "--watchlist", "--provenance"];
    for (command, taken) in [
        (&["convert", SIGNINS, "-O", "archive"][..], &[][..]),
        (&["batch", "queries.jsonl", SIGNINS], &all[1..]),
        (&["schema", "SigninLogs", SIGNINS], &all[3..]),
        (&["explain", "print 1"], &all),
        (&["print 1"], &all),
    ] {
        let named = if command.len() > 1 { &command[..1] } else { &[][..] };
        for help in ["--help", "-h"] {
            let help = coldcase(&[named, &[help][..]].concat());
            for option in all {
                let is_listed =
                    help.stdout.contains(&format!("{option} ")) || help.stdout.contains(&format!("{option}\n"));
                assert!(!is_listed || taken.contains(&option), "{command:?} {option}: {}", help.stdout);
                assert!(
                    is_listed || !taken.contains(&option) || help.stdout.contains("see more with"),
                    "{option} {help:?}"
                );
            }
        }
        for option in all.iter().filter(|option| !taken.contains(option)) {
            let value = if *option == "--provenance" { &[][..] } else { &["a=b"] };
            refused(&coldcase(&[command, &[*option][..], value].concat()), "unexpected argument");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let queries = folder.path().join("queries.jsonl").display().to_string();
    let query = r#"{"id": 1, "query": "declare query_parameters(s:string); print s, _SourceFile = 1"}"#;
    std::fs::write(&queries, query).expect("written");
    let output = coldcase(&["batch", &queries, SIGNINS, "--param", "s=told"]);
    assert!(output.code == 0 && output.stdout.contains("told"), "{output:?}");
    assert!(coldcase(&["schema", "SigninLogs", SIGNINS, "--provenance"]).stdout.contains("_SourceShape"));
}

#[test]
fn query_files_of_any_tool_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let text = "// é\nprint x = 'ü'";
    let utf16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("le.kql", [&[0xff, 0xfe][..], &utf16(u16::to_le_bytes)].concat()),
        ("be.kql", [&[0xfe, 0xff][..], &utf16(u16::to_be_bytes)].concat()),
        ("bom.kql", [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat()),
    ] {
        fs::write(path(name), bytes).expect("written");
        let output = coldcase(&["-f", &path(name)]);
        assert_eq!((output.code, output.stdout.as_str()), (0, "{\"x\":\"ü\"}\n"), "{name}: {output:?}");
    }
    fs::write(path("wrong.kql"), utf16(u16::to_le_bytes)).expect("written");
    refused(&coldcase(&["-f", &path("wrong.kql")]), "UTF-16 without a byte order mark");
    let line = "{\"id\":1,\"query\":\"print 1\"}\n";
    let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(line.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    fs::write(path("le.jsonl"), bytes).expect("written");
    assert_eq!(coldcase(&["batch", &path("le.jsonl")]).code, 0);
    fs::write(path("bom.jsonl"), format!("\u{feff}{line}")).expect("written");
    assert_eq!(coldcase(&["batch", &path("bom.jsonl")]).code, 0);
}

#[test]
fn several_queries_in_one_text_are_reported() {
    for text in [
        "SigninLogs\n| count\n\nSigninLogs\n| take 1",
        "SigninLogs | count\r\n\r\n// the second\r\nlet x = 1;\r\nprint x",
        "let a = 1;\nprint a\n   \n\nSigninLogs | count",
    ] {
        let output = coldcase(&[text, SIGNINS]);
        assert!(
            output.code == 4 && output.stderr.contains("a second query begins here, after an empty line"),
            "{output:?}"
        );
        assert!(output.stderr.contains("coldcase batch"), "{output:?}");
    }
    // An empty line inside a query does not separate queries.
    assert_eq!(coldcase(&["SigninLogs\n\n| count", SIGNINS]).code, 0);
    assert_eq!(coldcase(&["SigninLogs\n\n| coutn", SIGNINS]).code, 3);
}

#[test]
fn manifests_have_the_hash_of_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let manifest =
        || -> Json { serde_json::from_str(&fs::read_to_string(path("m.json")).expect("a manifest")).expect("JSON") };
    let query = "print a = 1";
    let output = coldcase(&[query, "-O", &path("a.csv"), "--manifest", &path("m.json")]);
    assert_eq!(output.code, 0, "{output:?}");
    // SHA-256 of "a\r\n1\r\n" or "a\n1\n", depending on the file's line ends.
    let hash = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec())
            .expect("UTF-8")
            .replace('\\', "\\\\")
            .replace('\r', "\\r")
            .replace('\n', "\\n")
            .replace('"', "\\\"");
        coldcase(&[&format!("print h = hash_sha256(\"{text}\")")]).stdout.split('"').nth(3).expect("a hash").to_owned()
    };
    let bytes = fs::read(path("a.csv")).expect("the answer");
    let said = manifest();
    assert_eq!(said["output"], json!({"file": path("a.csv"), "bytes": bytes.len(), "sha256": hash(&bytes)}));
    let output = coldcase(&[query, "--manifest", &path("m.json")]);
    assert_eq!(manifest()["output"]["sha256"], hash(output.stdout.as_bytes()));
    assert_eq!(manifest()["output"]["file"], "stdout");
    let pack = "{\"id\":1,\"query\":\"print 1\"}\n";
    let output = coldcase_with(&["batch", "-", "--manifest", &path("m.json")], pack);
    assert_eq!(manifest()["output"]["sha256"], hash(output.stdout.as_bytes()));
    let parquet = coldcase(&["range x from 1 to 9 step 1", "-O", &path("x.parquet"), "--manifest", &path("m.json")]);
    assert_eq!(parquet.code, 0, "{parquet:?}");
    assert_eq!(manifest()["output"]["bytes"], fs::metadata(path("x.parquet")).expect("a file").len());
}

#[test]
fn long_lists_of_indicators_are_read() {
    let addresses: Vec<String> =
        (0..150_000).map(|n: u32| format!("'198.51.{}.{}/{n}'", n / 256 % 256, n % 256)).collect();
    let query = format!("SigninLogs | where IPAddress in ({}) | count", addresses.join(",\n"));
    assert!(query.len() > 3 << 20);
    let folder = folder(&[("q.kql", &query)]);
    let file = folder.path().join("q.kql").display().to_string();
    let started = std::time::Instant::now();
    let output = coldcase(&["-f", &file, SIGNINS]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (0, "{\"Count\":0}\n"),
        "{}",
        &output.stderr[..output.stderr.len().min(500)]
    );
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}
