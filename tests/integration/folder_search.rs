//! Searching a named folder: each folder once, nothing outside it unless requested, nothing skipped silently.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use coldcase::scan::{Catalog, ScanReport, TableProvider};
use coldcase::source::file_catalog::FileCatalogBuilder;

use crate::command::{Output, coldcase, coldcase_at};
use crate::scan;

fn record(id: &str) -> String {
    format!(
        "{{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\",\"ResultType\":\"0\"}}\n"
    )
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    fs::write(path, text).expect("a file");
}

fn ids(args: &[&str]) -> (String, Output) {
    let output = coldcase(
        &[&["SigninLogs | summarize strcat_array(array_sort_asc(make_list(Id)), ' ')", "-o", "csv"], args].concat(),
    );
    (output.stdout.lines().nth(1).unwrap_or_default().to_owned(), output)
}

#[cfg(unix)]
#[test]
fn folders_that_link_to_each_other_are_searched_once() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for from in 0..12 {
        write(&root.join(format!("f{from}/x.json")), record(&from.to_string()));
        for to in (0..12).filter(|to| *to != from) {
            symlink(root.join(format!("f{to}")), root.join(format!("f{from}/to{to}"))).expect("a link");
        }
    }
    let root = root.to_str().expect("UTF-8");
    for more in [&[][..], &["--follow-links"]] {
        let (found, output) = ids(&[&[root], more].concat());
        assert_eq!(found.split(' ').count(), 12, "{output:?}");
        assert_eq!(output.stderr, "", "{more:?}");
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_followed_only_if_asked() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    write(&root.join("evidence/a.json"), record("a"));
    write(&root.join("elsewhere/b.json"), record("b"));
    write(&root.join("elsewhere/c.json"), record("c"));
    symlink("../elsewhere", root.join("evidence/folder")).expect("a link");
    symlink("../elsewhere/c.json", root.join("evidence/c.json")).expect("a link");
    symlink("a.json", root.join("evidence/again.json")).expect("a link");
    let evidence = root.join("evidence").to_str().expect("UTF-8").to_owned();
    let (found, output) = ids(&[&evidence]);
    assert_eq!(found, "a", "{output:?}");
    assert!(output.stderr.contains("warning: not read: symbolic links out of the named folder: "), "{output:?}");
    assert!(output.stderr.contains("--follow-links") && output.code == 0, "{output:?}");
    assert_eq!(ids(&[&evidence, "--strict"]).1.code, 5);
    let (found, output) = ids(&[&evidence, "--follow-links", "--strict"]);
    assert_eq!((found.as_str(), output.code), ("a b c", 0), "{output:?}");
    // A named link is followed.
    assert_eq!(ids(&[&format!("{evidence}/folder"), &format!("{evidence}/c.json"), "--strict"]).0, "b c");
}

#[cfg(unix)]
#[test]
fn a_folder_whose_name_looks_like_a_pattern_is_that_folder() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    write(&root.join("case [42]/x/y/a.json"), record("a"));
    write(&root.join("case 4/x/b.json"), record("b"));
    symlink("/", root.join("other")).expect("a link");
    let run = |pattern: &str| coldcase_at(root, &["SigninLogs | project Id", pattern, "-o", "csv"], b"");
    let output = run("case [42]/**/*.json");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("Id\r\na\r\n", ""), "{output:?}");
    assert_eq!(run("case ?/*/*.json").stdout, "Id\r\nb\r\n");
}

#[cfg(unix)]
#[test]
fn pipes_sockets_and_devices_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder.path().join("a.json"), record("a"));
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("s.json")).expect("a socket");
    let (found, output) = ids(&[folder.path().to_str().expect("UTF-8")]);
    assert_eq!(found, "a");
    assert!(output.stderr.contains("warning: not read: pipes, sockets and devices: "), "{output:?}");
    assert!(output.stderr.contains("s.json"), "{output:?}");
}

/// Reads the Ids of a table, and the messages.
fn read(table: &Arc<dyn TableProvider>) -> (Vec<String>, Vec<String>) {
    let report = Arc::new(ScanReport::default());
    let rows = scan::read(&**table, &["Id"], &report).expect("readable");
    assert!(report.is_incomplete());
    let problems =
        report.problems().into_iter().map(|(file, problem)| format!("{file}: {}", coldcase::messages::lost(&problem)));
    (rows.concat(), coldcase::messages::all_damage(&report.damage()).into_iter().chain(problems).collect())
}

#[test]
fn a_deleted_file_affects_no_other_and_a_changed_one_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a", "b", "c"] {
        write(&folder.path().join(format!("{name}.json")), record(name).repeat(2));
    }
    let listed = || {
        let mut builder = FileCatalogBuilder::default();
        builder.add(folder.path()).expect("files");
        builder.build().table("SigninLogs").expect("readable").expect("a table")
    };
    let table = listed();
    fs::write(folder.path().join("b.json"), record("b")).expect("shorter");
    let (rows, said) = read(&table);
    assert_eq!(rows, ["a", "a", "b", "c", "c"]);
    assert!(said.len() == 1 && said[0].starts_with("1 file changed while being read: "), "{said:?}");
    let table = listed();
    fs::remove_file(folder.path().join("b.json")).expect("removed");
    let (rows, said) = read(&table);
    assert_eq!(rows, ["a", "a", "c", "c"]);
    assert!(said.iter().any(|text| text.contains("b.json") && text.contains("not read")), "{said:?}");
}
