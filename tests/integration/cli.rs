//! Streams, exit codes and flags of the program.

use std::fs;
use std::process::{Command, Stdio};

use crate::command::{Output, coldcase, coldcase_with, lines, program, root};

const SIGNINS: &str = "testdata/signinlogs";

fn count(args: &[&str]) -> i64 {
    let output = coldcase(args);
    assert_eq!(output.code, 0, "{output:?}");
    lines(&output)[0]["Count"].as_i64().expect("a count")
}

#[test]
fn the_first_query() {
    let query = "SigninLogs | where ResultType == 0 and (UserPrincipalName == 'bg-admin-01@contoso.com' or \
                 UserPrincipalName == 'bg-admin-02@contoso.com')";
    let output = coldcase(&[query, SIGNINS]);
    assert_eq!(output.code, 0, "{output:?}");
    let users: Vec<_> = lines(&output).iter().map(|row| row["UserPrincipalName"].clone()).collect();
    assert_eq!(users, ["bg-admin-01@contoso.com", "bg-admin-02@contoso.com"]);
}

#[test]
fn exit_codes() {
    let cases: &[(&[&str], i32)] = &[
        (&["print 1"], 0),
        (&["SigninLogs | where Id == 'x'", SIGNINS], 0),
        (&["SigninLogs | where Id == 'x'", SIGNINS, "-e"], 1),
        (&["SigninLogs | take 1", SIGNINS, "-e"], 0),
        (&["print 1", "--no-such-flag"], 2),
        (&["print 1", "-o", "no-such-format"], 2),
        (&["print 1", "--now", "yesterday"], 2),
        (&["print 1", "--from", "2026-03-02", "--to", "2026-03-01"], 2),
        (&["print 1", "--param", "novalue"], 2),
        (&["print 1", "-t", "novalue"], 2),
        (&["print |"], 3),
        (&["NoSuchTable | take 1", SIGNINS], 3),
        (&["SigninLogs | where NoSuchColumn == 1", SIGNINS], 3),
        (&["print a = 1 | make-graph a --> b"], 4),
        (&["print geo_h3cell_level('862a1072fffffff')"], 4),
        (&["SigninLogs | take 1", "no/such/path"], 5),
    ];
    for (args, code) in cases {
        let output = coldcase(args);
        assert_eq!(output.code, *code, "{args:?}: {output:?}");
        if *code > 1 {
            assert_eq!(output.stdout, "", "{args:?}: errors do not go to stdout");
            assert_ne!(output.stderr, "", "{args:?}: an error says something");
        }
    }
}

#[test]
fn several_errors_in_one_run() {
    let output = coldcase(&["SigninLogs | where ResultTyp == 0 | where Idd == strlne('x')", SIGNINS]);
    assert_eq!(output.code, 3);
    for part in ["KQL2003", "ResultTyp", "did you mean `ResultType`", "KQL2002", "did you mean `strlen`", "Idd"] {
        assert!(output.stderr.contains(part), "{part} in {}", output.stderr);
    }
}

#[test]
fn errors_as_json() {
    let output = coldcase(&["print x", "--error-format", "json"]);
    let error: serde_json::Value = serde_json::from_str(output.stderr.trim()).expect("one JSON object");
    assert_eq!(
        (&error["code"], &error["line"], &error["column"], &error["text"]),
        (&"KQL2003".into(), &1.into(), &7.into(), &"x".into())
    );
}

#[test]
fn a_pipe_is_a_table() {
    let input = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n";
    let output = coldcase_with(&["stdin | where a > 1 | project b"], input);
    assert_eq!((output.code, output.stdout.as_str()), (0, "{\"b\":\"y\"}\n"), "{output:?}");
    let output = coldcase_with(&["stdin | count", "-"], input);
    assert_eq!(lines(&output)[0]["Count"], 2, "{output:?}");
}

#[test]
fn paths_are_files_folders_and_globs() {
    assert_eq!(count(&["SigninLogs | count", SIGNINS]), 10);
    assert_eq!(count(&["SigninLogs | count", "testdata/signinlogs/**/*.json"]), 10);
    assert_eq!(count(&["T | count", "-t", "T=testdata/signinlogs/**/h=09/**/*.json"]), 3);
    assert_eq!(count(&["SigninLogs | count", "-t", "SigninLogs=testdata/shapes/graph-beta"]), 10);
}

/// Paths with whitespace, other alphabets, brackets, links and cyclic links.
#[test]
fn paths_of_every_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("Fall 42 – Übersicht");
    let row =
        |id: u32| format!("{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\"}}\n");
    let names = ["PT1H (1).json", "a[1].json", "день/журнал.json", "日本/x y/{z}.json", "-e.json", "~/$HOME *.json"];
    for (id, name) in (0..).zip(names) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, row(id)).expect("written");
    }
    let of = |path: &std::path::Path| count(&["SigninLogs | count", path.to_str().expect("UTF-8")]);
    for name in names {
        assert_eq!(of(&root.join(name)), 1, "{name}");
    }
    assert_eq!(of(&root), 6);
    assert_eq!(of(&root.join("**/*y/*.json")), 1);
    let binding = format!("T={}", root.join("日本").display());
    assert_eq!(count(&["T | count", "-t", &binding]), 1);
    let listed = coldcase(&["sniff", root.to_str().expect("UTF-8")]);
    assert!(listed.stdout.contains("Übersicht/день/журнал.json"), "{listed:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let linked = folder.path().join("links");
        fs::create_dir(&linked).expect("a folder");
        symlink(&root, linked.join("all")).expect("a link");
        symlink(&linked, linked.join("loop")).expect("a link");
        symlink(linked.join("loop"), linked.join("all/back")).expect("a link");
        symlink("self", linked.join("self")).expect("a link");
        symlink("nowhere", linked.join("broken")).expect("a link");
        let linked_folder = linked.to_str().expect("UTF-8");
        assert_eq!(count(&["SigninLogs | count", linked_folder, "--follow-links"]), 6);
        assert_eq!(of(&linked.join("all/a[1].json")), 1);
        symlink(root.join("a[1].json"), linked.join("one.json")).expect("a link");
        assert_eq!(of(&linked.join("one.json")), 1);
        // A named link without a target is an error.
        for name in ["self", "broken"] {
            let path = linked.join(name);
            assert_eq!(coldcase(&["SigninLogs | count", path.to_str().expect("UTF-8")]).code, 5, "{name}");
        }
        // A file name that is not UTF-8 is read all the same.
        use std::os::unix::ffi::OsStrExt;
        let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"odd"));
        fs::create_dir(&odd).expect("a folder");
        fs::write(odd.join(std::ffi::OsStr::from_bytes(b"\xff\xfe.json")), row(9)).expect("written");
        assert_eq!(of(&odd), 1);
    }
}

#[test]
fn time_ranges() {
    let now = "2026-03-03T12:00:00Z";
    let of = |args: &[&str]| count(&[&["SigninLogs | count", SIGNINS, "--now", now], args].concat());
    assert_eq!(of(&["--from", "2026-03-03"]), 3);
    assert_eq!(of(&["--to", "2026-03-03"]), 7);
    assert_eq!(of(&["--from", "2026-03-02T09:00:00Z", "--to", "2026-03-02T14:00:00Z"]), 4);
    assert_eq!(of(&["--last", "12h"]), 3);
    assert_eq!(of(&["--from", "12h"]), 3);
    assert_eq!(of(&["--from", "2026-03-03", "--time-column", "CreatedDateTime"]), 2);
    assert_eq!(count(&["SigninLogs | where TimeGenerated > ago(12h) | count", SIGNINS, "--now", now]), 3);
}

#[test]
fn parameters_are_values_not_query_text() {
    let query = "declare query_parameters(user:string); SigninLogs | where UserPrincipalName == user | count";
    assert_eq!(count(&[query, SIGNINS, "--param", "user=jonas.weber@contoso.com"]), 2);
    assert_eq!(count(&[query, SIGNINS, "--param", "user=' or true //"]), 0);
    assert_eq!(coldcase(&[query, SIGNINS]).code, 3);
}

#[test]
fn query_files_and_output_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("q.kql"), "SigninLogs\n| summarize n = count() by UserPrincipalName\n| top 1 by n")
        .expect("written");
    let output = coldcase(&["-f", &path("q.kql"), SIGNINS, "-O", &path("answer.csv")]);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{output:?}");
    let answer = fs::read_to_string(path("answer.csv")).expect("the answer");
    assert_eq!(answer.replace("\r\n", "\n"), "UserPrincipalName,n\nbg-admin-01@contoso.com,3\n");
    // A failed run leaves no file that looks complete.
    let output = coldcase(&["SigninLogs | where Nope == 1", SIGNINS, "-O", &path("other.csv")]);
    assert_eq!(output.code, 3);
    assert!(!folder.path().join("other.csv").exists());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "no temporary file is left");
}

#[test]
fn damage_is_counted_and_fails_a_strict_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signins.json");
    let row =
        |n: u32| format!("{{\"TimeGenerated\":\"2026-03-02T09:0{n}:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{n}\"}}\n");
    fs::write(&file, format!("{}not json\n{}{{\"TimeGenerated\":\"2026-0", row(1), row(2))).expect("written");
    let args = ["SigninLogs | count", file.to_str().expect("UTF-8")];
    let output = coldcase(&args);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(lines(&output)[0]["Count"], 2);
    assert!(output.stderr.contains("signins.json") && output.stderr.contains("2 records were not read"), "{output:?}");
    // Damage is counted even if a search for a name could have skipped it.
    let output = coldcase(&["SigninLogs | where UserPrincipalName == 'nobody@contoso.com' | count", args[1]]);
    assert!(output.stderr.contains("2 records were not read"), "{output:?}");
    assert_eq!(coldcase(&[&args[..], &["--strict"]].concat()).code, 5);
    let quiet = coldcase(&[&args[..], &["-q"]].concat()).stderr;
    assert!(quiet.contains("2 records were not read"), "{quiet}");
    // With --strict, so is damage inside records that do not match.
    fs::write(&file, row(1) + &row(2).replace("\"2\"", "2x")).expect("written");
    let args = ["SigninLogs | where UserPrincipalName == 'nobody@contoso.com' | count", args[1], "--strict"];
    assert_eq!(coldcase(&args).code, 5);
}

#[test]
fn stdout_has_only_data() {
    let output = coldcase(&["SigninLogs | project Id", SIGNINS, "-v"]);
    assert_eq!(lines(&output).len(), 10);
    assert!(output.stderr.contains("10 rows"), "{output:?}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Command::new(program())
        .args(["range x from 1 to 10000000 step 1"])
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn exceeded_limits_are_named() {
    let too_many = "print 1 in ((range x from 1 to 2000000 step 1))";
    let output = coldcase(&[too_many]);
    assert_eq!((output.code, output.stdout.as_str()), (6, ""), "{output:?}");
    assert!(output.stderr.contains("more than 1000000 values after `in`"), "{}", output.stderr);
    // In a batch, only its own query fails.
    let pack = format!("{{\"id\":1,\"query\":\"{too_many}\"}}\n{{\"id\":2,\"query\":\"print 1\"}}\n");
    let output = coldcase_with(&["batch", "-"], &pack);
    assert_eq!(output.code, 1, "{output:?}");
    assert_eq!(lines(&output)[1]["rows"], serde_json::json!([[1]]));
}

/// Starts a query, waits for `first` bytes of its output, and presses Ctrl+C.
#[cfg(unix)]
fn interrupted(args: &[&str], first: usize) -> Output {
    use std::io::Read;

    let mut command = Command::new(program());
    command.args(args).current_dir(root()).env("XDG_CONFIG_HOME", root().join("target/no-settings"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let mut bytes = vec![0; first];
    stdout.read_exact(&mut bytes).expect("an answer begins");
    if first == 0 {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(kill.success());
    stdout.read_to_end(&mut bytes).expect("the answer ends");
    let output = child.wait_with_output().expect("the program ends");
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(bytes).expect("UTF-8"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_output_after_complete_rows() {
    let endless = "range x from 1 to 9000000000000000000 step 1";
    let output = interrupted(&[endless, "-o", "jsonl"], 1);
    assert_eq!(output.code, 130, "{}", output.stderr);
    assert!(output.stdout.ends_with('\n'));
    let rows: Vec<_> = lines(&output).iter().map(|row| row["x"].as_i64().expect("a number")).collect();
    assert!(rows.iter().copied().eq(1..=rows.len() as i64), "the first {} rows", rows.len());
    // A result of one row is written completely or not at all.
    let output = interrupted(&[&format!("{endless} | count"), "-o", "csv"], 0);
    assert_eq!((output.code, output.stdout.contains('0')), (130, false), "{output:?}");
    // A file gets its name when it is complete.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("answer.jsonl");
    let output = interrupted(&[endless, "-O", &file.display().to_string()], 0);
    assert_eq!(output.code, 130, "{output:?}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0, "nothing is left behind");
}

#[test]
fn other_commands() {
    let text = |args: &[&str]| {
        let output = coldcase(args);
        assert_eq!(output.code, 0, "{args:?}: {output:?}");
        output.stdout
    };
    let plan = text(&["explain", "SigninLogs | where Id == 'x' | project Id", SIGNINS]);
    assert!(plan.contains("Scan SigninLogs [Id] where"), "{plan}");
    assert!(text(&["schema", "SigninLogs", SIGNINS]).contains("{\"Column\":\"DeviceDetail\",\"Type\":\"dynamic\"}"));
    assert!(text(&["functions", "strlen"]).contains("strlen('')"), "an example of strlen");
    assert!(text(&["functions"]).lines().count() > 100);
    assert!(text(&["completions", "bash"]).contains("coldcase"));
    assert!(text(&["man"]).contains(".TH coldcase"));
    assert!(text(&["--version"]).starts_with("coldcase "));
    assert_eq!(coldcase(&["functions", "strlne"]).code, 2);
    assert_eq!(coldcase(&[]).code, 2);
}

#[test]
fn many_queries_in_one_process() {
    let queries = "{\"id\":1,\"query\":\"print a = 1, b = 'x'\"}\n{\"id\":\"two\",\"query\":\"print\"}\n";
    let output = coldcase_with(&["batch", "-"], queries);
    let answers = lines(&output);
    assert_eq!(answers[0]["rows"], serde_json::json!([[1, "x"]]));
    assert_eq!(answers[0]["columns"][1], serde_json::json!({"name": "b", "type": "string"}));
    assert_eq!((&answers[1]["id"], &answers[1]["code"]), (&"two".into(), &3.into()), "{output:?}");
}

/// Messages about files are printed once for all queries; `--strict` counts them.
#[test]
fn batches_report_unread_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signins.json");
    fs::write(&file, "{\"TimeGenerated\":\"2026-03-02\",\"Type\":\"SigninLogs\"}\nnot json\n").expect("written");
    let queries = "{\"id\":1,\"query\":\"SigninLogs | count\"}\n{\"id\":2,\"query\":\"SigninLogs | project Id\"}\n";
    let args = ["batch", "-", file.to_str().expect("UTF-8")];
    let output = coldcase_with(&args, queries);
    assert_eq!((output.code, output.stderr.matches("1 record was not read").count()), (0, 1), "{output:?}");
    let quiet = coldcase_with(&[&args[..], &["-q"]].concat(), queries).stderr;
    assert_eq!(quiet.matches("1 record was not read").count(), 1, "{quiet}");
    assert_eq!(coldcase_with(&[&args[..], &["--strict"]].concat(), queries).code, 5);
}

#[test]
fn a_synthetic_archive_answers_queries() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("archive").display().to_string();
    let made =
        coldcase(&["synth", "signinlogs", "--rows", "500", "--days", "2", "--shape", "diagnostic", "--out", &path]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(count(&["SigninLogs | count", &path]), 500);
}

#[test]
fn urls_of_files_are_paths() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a b.json");
    fs::copy(root().join("testdata/shapes/graph-ndjson/").join(first_file("graph-ndjson")), &path).expect("a copy");
    let url = format!("file://{}", path.display()).replace(' ', "%20");
    let query = "SigninLogs | project Id, _SourceFile | take 1";
    let here = coldcase(&[query, &path.display().to_string(), "--provenance"]);
    let there = coldcase(&[query, &url, "--provenance"]);
    assert_eq!((there.code, &there.stdout), (0, &here.stdout), "{}", there.stderr);
    assert!(here.stdout.contains("a b.json"), "{}", here.stdout);
    for (wrong, reason) in [("file://elsewhere/a", "on this machine"), ("ftp://contoso.com/a?b=c", "supported are az,")]
    {
        let output = coldcase(&[query, wrong]);
        assert!(output.code == 2 && output.stderr.contains(reason), "{wrong}: {}", output.stderr);
    }
}

fn first_file(shape: &str) -> std::ffi::OsString {
    let mut files = fs::read_dir(root().join("testdata/shapes").join(shape)).expect("a shape");
    files.next().expect("a file").expect("readable").file_name()
}

#[test]
fn nothing_is_written_to_servers() {
    for args in [
        &["print 1", "-O", "s3://logs/a.csv"][..],
        &["convert", SIGNINS, "-O", "az://logs/archive"],
        &["SigninLogs | count", SIGNINS, "--manifest", "https://contoso.com/manifest.json"],
        &["synth", "signinlogs", "--out", "s3://logs/a"],
    ] {
        let output = coldcase(args);
        assert!(
            output.code == 2 && output.stderr.contains("written to local files only"),
            "{args:?}: {}",
            output.stderr
        );
    }
    assert!(!root().join("s3:").exists() && !root().join("az:").exists());
}

#[cfg(not(feature = "remote"))]
#[test]
fn urls_are_refused_without_the_remote_feature() {
    for url in ["az://logs/a.json", "s3://logs/", "https://contoso.com/a.json?sig=hidden"] {
        let output = coldcase(&["SigninLogs | count", url]);
        assert_eq!(output.code, 5, "{url}: {}", output.stderr);
        assert!(output.stderr.contains("--features remote") && !output.stderr.contains("hidden"), "{}", output.stderr);
    }
}

/// If the files contain no records of the table, in whatever format, that is reported: no rows is no evidence.
#[test]
fn a_table_without_records_is_reported() {
    for shape in ["testdata/signinlogs", "testdata/shapes/adx-export-parquet", "testdata/shapes/adf-parquet-struct"] {
        let output = coldcase(&["AADNonInteractiveUserSignInLogs | count", shape]);
        let told = output.stderr.contains("the files contain no AADNonInteractiveUserSignInLogs records");
        assert!(told, "{shape}: {output:?}");
        let output = coldcase(&["SigninLogs | where Id == 'x' | count", shape]);
        assert!(!output.stderr.contains("the files contain no"), "{shape}: {output:?}");
    }
}

#[test]
fn progress_is_shown_only_on_terminals() {
    for flags in [&[][..], &["-v"], &["-q"]] {
        let mut child = Command::new(program())
            .args(["stdin | count"])
            .args(flags)
            .current_dir(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut pipe = child.stdin.take().expect("stdin is piped");
        std::io::Write::write_all(&mut pipe, b"{\"a\":1}\n").expect("written");
        // Long enough for a progress line to appear.
        std::thread::sleep(std::time::Duration::from_millis(1_300));
        drop(pipe);
        let output = child.wait_with_output().expect("the program ends");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(stdout, "{\"Count\":1}\n", "{stderr}");
        assert!(!stderr.contains('\r') && !stderr.contains("of stdin read"), "{stderr}");
        assert_eq!(stderr.is_empty(), *flags != ["-v"], "{stderr}");
    }
}
