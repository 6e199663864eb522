//! The list of the files of an archive: a file that is missing, replaced or added is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Output, coldcase};

/// A sign-in of each of these months, as JSON Lines.
fn export(path: &Path, months: &[u32]) -> String {
    let row = |month: &u32| {
        format!(
            "{{\"TimeGenerated\":\"2026-{month:02}-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{month}\",\
             \"ResultType\":\"0\"}}\n"
        )
    };
    fs::write(path, months.iter().map(row).collect::<String>()).expect("written");
    path.display().to_string()
}

/// An archive of January to March, the last of which was appended.
struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Self { folder };
        for months in [&[1, 2][..], &[3]] {
            let added = archive.append(months);
            assert_eq!(added.code, 0, "{added:?}");
        }
        archive
    }

    fn append(&self, months: &[u32]) -> Output {
        let export = export(&self.folder.path().join("export.json"), months);
        coldcase(&["convert", &export, "-O", &self.name(""), "--append"])
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("archive").join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn file(&self, month: u32) -> PathBuf {
        self.path(&format!("SigninLogs/month=2026-{month:02}/SigninLogs-00000.parquet"))
    }

    /// The number of sign-ins, of a strict run with this exit code.
    fn count(&self, name: &str, code: i32) -> (String, String) {
        let output = coldcase(&["SigninLogs | count", &self.name(name), "-o", "csv", "--strict"]);
        assert_eq!(output.code, code, "{name}: {output:?}");
        (output.stdout.lines().nth(1).unwrap_or_default().to_owned(), output.stderr)
    }

    fn verify(&self, code: i32) -> Output {
        let output = coldcase(&["verify", &self.name(""), "-o", "csv"]);
        assert_eq!(output.code, code, "{output:?}");
        output
    }
}

#[test]
fn an_archive_without_one_of_its_files_is_incomplete() {
    let archive = Archive::new();
    assert_eq!(archive.count("", 0), ("3".to_owned(), String::new()));
    assert!(archive.verify(0).stderr.is_empty());
    fs::remove_file(archive.file(2)).expect("removed");
    for named in ["", "SigninLogs", "**/*.parquet", "SigninLogs/month=2026-0[23]", "SigninLogs/../SigninLogs"] {
        let (_, said) = archive.count(named, 5);
        assert!(said.contains("month=2026-02"), "{named}: {said}");
    }
    // Only of what was named.
    for named in
        ["SigninLogs/month=2026-01", "**/month=2026-03/*.parquet", "SigninLogs/month=2026-03/SigninLogs-00000.parquet"]
    {
        assert_eq!(archive.count(named, 0), ("1".to_owned(), String::new()), "{named}");
    }
    let verified = archive.verify(5);
    assert!(verified.stdout.contains("month=2026-02/SigninLogs-00000.parquet,,,,"), "{verified:?}");
    assert!(verified.stdout.contains(",missing,"), "{verified:?}");
    let added = archive.append(&[4]);
    assert!(added.code == 5 && added.stderr.contains("the archive lacks this file"), "{added:?}");
    // A whole folder, and all files.
    fs::remove_dir_all(archive.path("SigninLogs/month=2026-03")).expect("removed");
    assert_eq!(archive.count("", 5).0, "1");
    fs::remove_dir_all(archive.path("SigninLogs")).expect("removed");
    let (_, said) = archive.count("", 5);
    assert!(said.contains("the list of their archive names them"), "{said}");
}

#[test]
fn missing_files_are_listed_by_every_command() {
    let archive = Archive::new();
    fs::remove_file(archive.file(2)).expect("removed");
    let [rejects, manifest] = ["rejects.jsonl", "manifest.json"].map(|name| archive.folder.path().join(name));
    let [shown, written] = [&rejects, &manifest].map(|path| path.display().to_string());
    let query = ["SigninLogs | count", &archive.name(""), "--rejects", &shown, "--manifest", &written, "--strict"];
    assert_eq!(coldcase(&query).code, 5);
    for path in [rejects, manifest] {
        assert!(fs::read_to_string(&path).expect("a file").contains("month=2026-02/"), "{}", path.display());
    }
    let sniffed = coldcase(&["sniff", &archive.name("")]);
    assert!(sniffed.stderr.contains("month=2026-02/"), "{sniffed:?}");
    let tables = coldcase(&["tables", &archive.name("")]);
    assert!(tables.stdout.contains("month=2026-02/"), "{tables:?}");
    let copy = archive.folder.path().join("copy").display().to_string();
    let converted = coldcase(&["convert", &archive.name(""), "-O", &copy, "--strict"]);
    assert!(converted.code == 5 && converted.stderr.contains("month=2026-02/"), "{converted:?}");
}

#[test]
fn replaced_and_added_files_are_noticed() {
    let archive = Archive::new();
    let january = fs::read(archive.file(1)).expect("a file");
    fs::write(archive.file(2), &january).expect("replaced");
    fs::write(archive.path("SigninLogs/x.parquet"), &january).expect("added");
    let verified = archive.verify(5);
    assert!(verified.stdout.contains("its SHA-256 is not the one in the list"), "{verified:?}");
    assert!(verified.stdout.contains(",not listed,"), "{verified:?}");
    let (count, said) = archive.count("", 0);
    assert!(count == "4" && said.contains("does not name 1 file"), "{said}");
    // A file of another length shows without reading it.
    let other = archive.folder.path().join("other.parquet").display().to_string();
    let export = export(&archive.folder.path().join("export.json"), &[2, 2, 2, 2, 2, 2, 2, 2]);
    assert_eq!(coldcase(&["convert", &export, "-O", &other]).code, 0);
    fs::copy(&other, archive.file(2)).expect("replaced");
    let (_, said) = archive.count("", 5);
    assert!(said.contains("another length than the list of their archive says"), "{said}");
}

#[test]
fn archives_without_a_list_and_damaged_lists_are_told() {
    let archive = Archive::new();
    let list = archive.path(".coldcase-files");
    fs::write(&list, "{\"files\":[").expect("damaged");
    let (count, said) = archive.count("", 5);
    assert!(count == "3" && said.contains("unknown whether files are missing"), "{said}");
    assert_eq!(archive.append(&[4]).code, 5);
    let verified = archive.verify(5);
    assert!(verified.stdout.contains(".coldcase-files,,,,,damaged,"), "{verified:?}");
    assert!(verified.stdout.contains(",intact,") && !verified.stderr.contains("has no list"), "{verified:?}");
    fs::remove_file(&list).expect("removed");
    assert_eq!(archive.count("", 0), ("3".to_owned(), String::new()));
    assert!(archive.verify(0).stderr.contains("has no list of its files"));
    // An archive without a list stays without: what it had before is unknown.
    assert_eq!(archive.append(&[4]).code, 0);
    assert!(!list.exists());
    assert_eq!(archive.count("", 0).0, "4");
}

#[cfg(unix)]
#[test]
fn devices_in_the_place_of_what_an_archive_keeps_do_not_stop_the_run() {
    for name in [".coldcase-files", ".coldcase-append"] {
        let archive = Archive::new();
        let kept = archive.path(name);
        let _ = fs::remove_file(&kept);
        std::os::unix::fs::symlink("/dev/zero", &kept).expect("a link");
        let output = coldcase(&["SigninLogs | count", &archive.path("").to_string_lossy(), "--strict"]);
        assert_eq!(output.code, 5, "{name}: {}", output.stderr);
        assert!(output.stderr.contains("is damaged"), "{name}: {}", output.stderr);
    }
}
