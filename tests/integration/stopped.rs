//! A run can be stopped at any moment, and leaves nothing behind.

use std::fs;
use std::path::{Path, PathBuf};

use coldcase::convert::{Disk, RealDisk, Staging};
use coldcase::storage::archive_list::{ArchiveFile, ArchiveList};
use serde_json::json;

use crate::command::{Output, coldcase, coldcase_with, root};

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Sign-ins with or without an Id, as JSON Lines.
fn signins(path: &Path, month: u32, ids: bool) -> String {
    let record = |day: u32| {
        let id = if ids { format!("\"Id\":\"{month}-{day}\",") } else { String::new() };
        format!(
            "{{{id}\"Type\":\"SigninLogs\",\"TimeGenerated\":\"2026-{month:02}-{day:02}T09:00:00Z\",\
             \"UserPrincipalName\":\"user{day}@contoso.com\",\"IPAddress\":\"203.0.113.{day}\",\"ResultType\":\"0\"}}\n"
        )
    };
    fs::write(path, (1..=9).map(record).collect::<String>()).expect("a file");
    path.display().to_string()
}

fn count(archive: &Path, more: &[&str]) -> Output {
    let path = archive.display().to_string();
    coldcase(&[&["SigninLogs | count", &path, "-o", "csv"], more].concat())
}

fn rows(archive: &Path) -> u64 {
    let output = count(archive, &[]);
    assert_eq!(output.code, 0, "{output:?}");
    output.stdout.lines().nth(1).and_then(|line| line.parse().ok()).expect("a number")
}

#[cfg(unix)]
mod moments {
    //! Signals at random moments.

    use std::io::Write as _;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const ENDLESS: &str = "range x from 1 to 9000000000000000000 step 1";

    /// The number of moments for each signal and kind of run; `MOMENTS=50` tries more.
    fn moments() -> usize {
        std::env::var("MOMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    /// The signals to try, by name and number, except those that this process ignores.
    fn signals() -> Vec<(&'static str, i32)> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
        let ignored = u64::from_str_radix(mask.trim(), 16).unwrap_or(0);
        let all = [("HUP", 1), ("INT", 2), ("TERM", 15)];
        all.into_iter().filter(|(_, number)| ignored >> (number - 1) & 1 == 0).collect()
    }

    fn start(args: &[&str]) -> Child {
        Command::new(crate::command::program())
            .args(args)
            .current_dir(root())
            .env("XDG_CONFIG_HOME", root().join("target/no-settings"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    /// Sends the signal at a moment within the first half second. Returns the exit code as a shell reports it, and
    /// stdout.
    fn stopped(args: &[&str], signal: &str, rng: &mut ChaCha8Rng) -> (i32, String) {
        let mut child = start(args);
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // Not closed: the program waits for more input.
        let _ = stdin.write_all(b"{\"a\":1}\n");
        std::thread::sleep(Duration::from_micros(rng.random_range(0..500_000)));
        let sent =
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).stderr(Stdio::null()).status();
        sent.expect("kill runs");
        let output = child.wait_with_output().expect("the program ends");
        drop(stdin);
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
        (code.expect("an end"), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Stops endless runs of `query`.
    fn check(query: &str, more: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        let (temporary, answers) = (folder.path().join("temporary"), folder.path().join("answers"));
        [&temporary, &answers].iter().for_each(|folder| fs::create_dir(folder).expect("a folder"));
        let (place, answer) = (temporary.display().to_string(), answers.join("answer.json").display().to_string());
        let mut rng = ChaCha8Rng::seed_from_u64(query.len() as u64);
        for (signal, number) in signals() {
            for moment in 0..moments() {
                let mut args = [&[query, "--temp-dir", &place, "--max-memory", "16M"], more].concat();
                let to_file = moment % 2 == 0;
                args.extend(if to_file { ["-O", &answer] } else { ["-o", "json"] });
                let (code, stdout) = stopped(&args, signal, &mut rng);
                assert_eq!(code, 128 + number, "{signal}: {query}");
                assert!(!stdout.trim_end().ends_with(']'), "{signal}: {query}: the answer looks complete");
                assert_eq!((names(&temporary), names(&answers)), (vec![], vec![]), "{signal}: {query}");
            }
        }
    }

    #[test]
    fn scans_without_matches() {
        check(&format!("{ENDLESS} | where x < 0"), &["--threads", "1"]);
        check(&format!("{ENDLESS} | where tostring(x) has 'nobody' | count"), &[]);
    }

    #[test]
    fn sorts_groups_and_joins_in_temporary_files() {
        let rows = "range x from 1 to 100000000 step 1 | extend s = strcat('text number ', x)";
        check(&format!("{rows} | sort by s asc"), &[]);
        check(&format!("{rows} | summarize count() by s"), &[]);
        check(&format!("{rows} | join kind=inner ({rows} | project s) on s"), &[]);
    }

    #[test]
    fn streams_of_rows() {
        check(&format!("{ENDLESS} | project x, s = strcat('row ', x)"), &[]);
    }

    #[test]
    fn copies_of_stdin() {
        check("stdin | count", &[]);
    }

    #[test]
    fn nohup_runs_survive_their_terminal() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let program = crate::command::program().display().to_string();
        let script = format!(
            "nohup '{program}' 'range x from 1 to 3000000 step 1 | summarize dcount(tostring(x)), count()' -o csv 2>/dev/null & \
             sleep 0.2; kill -HUP $!; wait $!"
        );
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("3000000"), "{output:?}");
    }

    #[test]
    fn conversions_and_appends() {
        let folder = tempfile::tempdir().expect("a folder");
        let exports = folder.path().join("exports");
        let out = exports.display().to_string();
        let made = coldcase(&["synth", "signinlogs", "--rows", "900", "--days", "20", "--out", &out, "-q"]);
        assert_eq!(made.code, 0, "{made:?}");
        let old = signins(&folder.path().join("old.json"), 1, true);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for (signal, number) in signals() {
            for _ in 0..moments() {
                for existing in [0, 9] {
                    let archives = folder.path().join("new/place");
                    let archive = archives.join("archive");
                    let to = archive.display().to_string();
                    if existing > 0 {
                        assert_eq!(coldcase(&["convert", &old, "-O", &to, "-q"]).code, 0);
                    }
                    let args = ["convert", &out, "-O", &to, "--append", "--max-memory", "16M", "--partition-by", "day"];
                    let (code, _) = stopped(&args, signal, &mut rng);
                    assert!(code == 0 || code == 128 + number, "{signal}: {code}");
                    if archive.exists() {
                        assert_eq!(names(&archives), ["archive"], "{signal}");
                        let found = rows(&archive);
                        assert!(found == existing + 900 || found == existing && existing > 0, "{signal}: {found} rows");
                        assert!(code != 0 || found == existing + 900, "{signal}: {found} rows");
                    } else {
                        assert!(existing == 0 && !folder.path().join("new").exists(), "{signal}: folders are left");
                    }
                    assert_eq!(coldcase(&args).code, 0, "the next run");
                    assert_eq!((rows(&archive), names(&archives)), (existing + 900, vec!["archive".to_owned()]));
                    fs::remove_dir_all(folder.path().join("new")).expect("removed");
                }
            }
        }
    }
}

/// A disk that fails after some changes, as if the run were killed then.
struct Killed {
    left: std::cell::Cell<usize>,
}

impl Killed {
    fn then(&self, change: impl FnOnce() -> std::io::Result<()>) -> std::io::Result<()> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| std::io::Error::other("killed"))?;
        self.left.set(left);
        change()
    }
}

impl Disk for Killed {
    fn write(&self, path: &Path, text: &str) -> std::io::Result<()> {
        // A truncated file.
        if self.left.get() == 0 {
            let _ = fs::write(path, &text[..text.len() / 2]);
        }
        self.then(|| RealDisk.write(path, text))
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        self.then(|| RealDisk.rename(from, to))
    }

    fn create_folder(&self, path: &Path) -> std::io::Result<()> {
        self.then(|| RealDisk.create_folder(path))
    }

    fn remove_file(&self, path: &Path) -> std::io::Result<()> {
        self.then(|| RealDisk.remove_file(path))
    }

    fn remove_folder(&self, path: &Path) -> std::io::Result<()> {
        self.then(|| RealDisk.remove_folder(path))
    }

    fn sync_folder(&self, path: &Path) -> std::io::Result<()> {
        self.then(|| RealDisk.sync_folder(path))
    }
}

#[test]
fn appends_are_atomic_whichever_step_is_the_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    for (archive, months) in [(&old, [1, 2]), (&new, [2, 3])] {
        for month in months {
            let export = signins(&folder.path().join("export.json"), month, false);
            let added = coldcase(&["convert", &export, "-O", &archive.display().to_string(), "--append", "-q"]);
            assert_eq!(added.code, 0, "{added:?}");
        }
    }
    // The new files have names that the archive does not contain.
    let files: Vec<PathBuf> = ["month=2026-02/SigninLogs-00001.parquet", "month=2026-03/SigninLogs-00000.parquet"]
        .iter()
        .map(|file| Path::new("SigninLogs").join(file))
        .collect();
    let originals = ["month=2026-02/SigninLogs-00000.parquet", "month=2026-03/SigninLogs-00000.parquet"];
    let request = json!({"files": ["export.json"]});
    let mut finished = false;
    for steps in 0..40 {
        let archive = folder.path().join(format!("archive-{steps}"));
        copy(&old, &archive);
        {
            let staging = Staging::new(&archive, None).expect("a place");
            for (file, original) in files.iter().zip(originals) {
                let staged = staging.archive().join(file);
                fs::create_dir_all(staged.parent().expect("a folder")).expect("folders");
                fs::copy(new.join("SigninLogs").join(original), staged).expect("a copy");
            }
            let disk = Killed { left: steps.into() };
            let listed: Vec<ArchiveFile> = files
                .iter()
                .map(|file| {
                    let bytes = fs::metadata(staging.archive().join(file)).expect("a file").len();
                    ArchiveFile { path: file.clone(), bytes, sha256: String::new() }
                })
                .collect();
            finished = staging.publish_files(&listed, &request, &disk).is_ok();
        }
        // Readers see all or nothing, however they name the archive.
        let read = count(&archive, &[]);
        assert_eq!(read.code, 0, "{steps}: {read:?}");
        let found = rows(&archive);
        assert!([18, 36].contains(&found), "{steps}: {found} rows");
        assert!(!finished || found == 36, "{steps}");
        if archive.join(&files[0]).exists() && found == 18 {
            assert!(read.stderr.contains("append"), "{steps}: {read:?}");
            assert_eq!(count(&archive, &["--strict"]).code, 5, "{steps}");
            assert_eq!(rows(&archive.join("SigninLogs/month=2026-02")), 9, "{steps}: a folder of the archive");
            let glob = archive.join("*/*/*.parquet");
            assert_eq!(rows(&glob), 18, "{steps}: a pattern");
            let named = coldcase(&["SigninLogs | count", &archive.join(&files[0]).display().to_string()]);
            assert!(named.code != 0 && named.stderr.contains("append"), "{steps}: a file of the archive: {named:?}");
        }
        // The list of the archive never names a file that is not there.
        assert!(!read.stderr.contains("the list of their archive"), "{steps}: {read:?}");
        // The next run removes files that do not count, and knows what was added.
        let staging = Staging::new(&archive, None).expect("a place");
        assert_eq!(staging.was_added(&request), found == 36, "{steps}");
        drop(staging);
        assert_eq!(rows(&archive), found, "{steps}");
        let list = ArchiveList::read(&archive).expect("readable").expect("a list");
        assert_eq!(list.files.len(), if found == 36 { 4 } else { 2 }, "{steps}");
        assert!(found == 36 || !archive.join(&files[1]).exists(), "{steps}: files that do not count are left");
        if finished {
            break;
        }
    }
    assert!(finished, "the steps have an end");
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(|entry| entry.expect("readable")) {
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(target).expect("a folder"),
            false => drop(fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

#[test]
fn repeating_a_stopped_append_does_not_duplicate_rows_without_an_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    let to = archive.display().to_string();
    let (first, second) = (folder.path().join("first.json"), folder.path().join("second.json"));
    let (first, second) = (signins(&first, 1, false), signins(&second, 2, false));
    assert_eq!(coldcase(&["convert", &first, "-O", &to, "-q"]).code, 0);
    // Stopped after the rows were added and before success was reported: the manifest cannot be written.
    let nowhere = folder.path().join("nowhere/manifest.json").display().to_string();
    let stopped = coldcase(&["convert", &second, "-O", &to, "--append", "--manifest", &nowhere]);
    assert_eq!((stopped.code, rows(&archive)), (2, 18), "{stopped:?}");
    let again = coldcase(&["convert", &second, "-O", &to, "--append"]);
    assert_eq!((again.code, rows(&archive)), (0, 18), "{again:?}");
    assert!(again.stderr.contains("nothing is added again"), "{again:?}");
    // After a success, the same request adds the rows again.
    assert_eq!(coldcase(&["convert", &second, "-O", &to, "--append", "-q"]).code, 0);
    assert_eq!(rows(&archive), 27);
    assert_eq!(names(&archive), [".coldcase-files", "SigninLogs"]);
}

/// A file with rows, and one that fails every run that reads it.
fn failing(folder: &Path) -> [String; 2] {
    let good = folder.join("1-good.json").display().to_string();
    let lines: String = (0..2000).map(|n| format!("{{\"a\":{n},\"s\":\"text {n}\"}}\n")).collect();
    fs::write(&good, lines).expect("a file");
    let bomb = folder.join("2-bomb.json.gz");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, "{\"a\":1,\"s\":\"x\"}\n".repeat(100_000).as_bytes()).expect("packed");
    fs::write(&bomb, packed.finish().expect("packed")).expect("a file");
    [good, bomb.display().to_string()]
}

#[test]
fn failed_results_do_not_look_complete() {
    let folder = tempfile::tempdir().expect("a folder");
    let [good, bomb] = failing(folder.path());
    let table = |path: &str| format!("T={path}");
    let run = |paths: &[&str], format: &str| {
        let tables: Vec<String> = paths.iter().map(|path| table(path)).collect();
        let mut args = vec!["T | where a >= 0", "--max-decompressed", "200K", "--threads", "1", "-o", format];
        tables.iter().for_each(|table| args.extend(["-t", table]));
        coldcase(&args)
    };
    for format in ["table", "line", "md", "jsonl", "json", "la-api", "csv", "tsv", "parquet", "arrow"] {
        let nothing = run(&[&bomb], format);
        assert_eq!((nothing.code, nothing.stdout.as_str()), (6, ""), "{format}: {}", nothing.stderr);
        let partial = run(&[&good, &bomb], format);
        assert_eq!(partial.code, 6, "{format}: {}", partial.stderr);
        let end = partial.stdout.trim_end();
        match format {
            "json" | "la-api" => assert!(!end.ends_with(']') && !end.ends_with("]}]}"), "{format}"),
            "table" => assert!(!end.contains("rows"), "{format}"),
            "parquet" => assert!(!end.ends_with("PAR1") || end.len() == 4, "{format}"),
            _ => {}
        }
    }
    // An empty result has its columns.
    let empty = coldcase(&["print a = 1 | where a > 1", "-o", "csv"]);
    assert_eq!((empty.code, empty.stdout.trim_end()), (0, "a"));
}

#[test]
fn a_failed_arrow_stream_ends_inside_a_message() {
    use coldcase::output;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Bytes(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Bytes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let engine = coldcase::engine::Engine::new(
        Arc::new(coldcase::source::file_catalog::FileCatalogBuilder::default().build()),
        coldcase::engine::Settings::new(0),
    );
    let answer = engine.query("print a = 1").expect("an answer");
    let bytes = Bytes::default();
    let mut writer =
        (output::format("arrow").expect("a format").writer)(Box::new(bytes.clone()), &output::OutputOptions::default());
    writer.begin(&answer.schema).expect("begun");
    answer.batches.iter().for_each(|batch| writer.batch(batch).expect("written"));
    writer.abandon();
    drop(writer);
    let bytes = bytes.0.lock().expect("not poisoned").clone();
    let reader = arrow::ipc::reader::StreamReader::try_new(bytes.as_slice(), None).expect("a schema");
    assert!(reader.collect::<Result<Vec<_>, _>>().is_err());
}

#[test]
fn runs_end_at_their_time_limit() {
    let endless = "range x from 1 to 9000000000000000000 step 1";
    for query in [format!("{endless} | where x < 0"), endless.to_owned(), format!("{endless} | count")] {
        let output = coldcase(&[&query, "--timeout", "300ms", "-o", "json"]);
        assert_eq!(output.code, 6, "{query}: {}", output.stderr);
        assert!(output.stderr.contains("--timeout"), "{}", output.stderr);
        assert!(!output.stdout.trim_end().ends_with(']'), "{query}");
    }
    assert_eq!(coldcase(&["print 1", "--timeout", "1h"]).code, 0);
    assert_eq!(coldcase(&["print 1", "--timeout", "soon"]).code, 2);
}

#[test]
fn copies_of_stdin_are_bounded_and_in_the_temporary_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display().to_string();
    let text = "{\"a\":1}\n".repeat(100);
    let read = |more: &[&str]| coldcase_with(&[&["stdin | count", "-o", "csv"], more].concat(), &text);
    assert_eq!(read(&["--temp-dir", &place]).stdout.lines().nth(1), Some("100"));
    assert_eq!(names(folder.path()), [""; 0]);
    assert_eq!(read(&["--max-stdin", "800"]).code, 0);
    let refused = read(&["--max-stdin", "799"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (6, ""), "{refused:?}");
    assert!(refused.stderr.contains("stdin") && refused.stderr.contains("--max-stdin"), "{}", refused.stderr);
    let missing = folder.path().join("missing");
    let refused = read(&["--temp-dir", &missing.display().to_string()]);
    assert_eq!((refused.code, missing.exists()), (2, false), "{refused:?}");
    assert!(refused.stderr.contains("--temp-dir"), "{}", refused.stderr);
}

#[test]
fn parquet_and_archives_are_read_from_stdin() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.parquet").display().to_string();
    assert_eq!(coldcase(&["range x from 1 to 20000 step 1 | extend s = tostring(x)", "-O", &file]).code, 0);
    let bytes = fs::read(&file).expect("a file");
    let read = crate::command::coldcase_at(root(), &["stdin | where s == '777' | project x", "-o", "csv"], &bytes);
    assert_eq!((read.code, read.stdout.trim_end()), (0, "x\r\n777"), "{read:?}");
}

#[test]
fn folders_of_killed_conversions_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = signins(&folder.path().join("export.json"), 1, true);
    let unfinished = |name: &str| folder.path().join(format!(".{name}.coldcase-unfinished"));
    for name in ["killed", "alive", "strange"] {
        fs::create_dir(unfinished(name)).expect("a folder");
    }
    fs::write(unfinished("killed").join("lock"), "").expect("a file");
    let lock = fs::File::create(unfinished("alive").join("lock")).expect("a file");
    lock.lock().expect("a lock");
    assert_eq!(coldcase(&["convert", &export, "-O", &folder.path().join("archive").display().to_string()]).code, 0);
    let left = [".alive.coldcase-unfinished", ".strange.coldcase-unfinished", "archive", "export.json"];
    assert_eq!(names(folder.path()), left);
}

#[test]
fn files_of_killed_runs_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".coldcase-0aB9zzzz.partial"), "half an answer").expect("a file");
    let answer = folder.path().join("answer.csv").display().to_string();
    assert_eq!(coldcase(&["print a = 1", "-O", &answer]).code, 0);
    assert_eq!(names(folder.path()), ["answer.csv"]);
}

#[cfg(unix)]
mod unix {
    //! Behaviour of shells and devices.

    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::process::{Command, Stdio};

    use super::*;

    /// Runs the program by a shell script, which calls it as `"$0"` with the arguments `"$@"`.
    fn shell(script: &str, args: &[&str]) -> Output {
        let output = Command::new("sh")
            .args(["-c", script])
            .arg(crate::command::program())
            .args(args)
            .current_dir(root())
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    }

    #[test]
    fn files_have_the_permissions_that_the_umask_allows() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        let paths = ["answer.csv", "manifest.json", "rejects.jsonl", "batch.jsonl"]
            .map(|name| file(name).display().to_string());
        let queries = file("queries.jsonl");
        fs::write(&queries, "{\"id\":1,\"query\":\"print 1\"}\n").expect("a file");
        for (umask, expected) in [("027", 0o640), ("022", 0o644), ("077", 0o600)] {
            let script = format!("umask {umask}; exec \"$0\" \"$@\"");
            let query = ["print 1", "-O", &paths[0], "--manifest", &paths[1], "--rejects", &paths[2]];
            assert_eq!(shell(&script, &query).code, 0);
            let queries = queries.display().to_string();
            assert_eq!(shell(&script, &["batch", &queries, "testdata/signinlogs", "-O", &paths[3]]).code, 0);
            paths.iter().for_each(|path| assert_eq!(mode(Path::new(path)), expected, "{path}"));
            paths.iter().for_each(|path| fs::remove_file(path).expect("removed"));
        }
        // An existing file keeps its permissions; a link is followed.
        fs::write(file("mine.csv"), "old").expect("a file");
        fs::set_permissions(file("mine.csv"), fs::Permissions::from_mode(0o600)).expect("set");
        std::os::unix::fs::symlink("mine.csv", file("link.csv")).expect("a link");
        assert_eq!(coldcase(&["print a = 1", "-O", &file("link.csv").display().to_string()]).code, 0);
        assert_eq!(
            (mode(&file("mine.csv")), fs::read(file("mine.csv")).expect("a file")),
            (0o600, b"a\r\n1\r\n".to_vec())
        );
        assert!(fs::symlink_metadata(file("link.csv")).expect("a link").is_symlink());
    }

    #[test]
    fn a_full_disk_is_a_limit() {
        if !Path::new("/dev/full").exists() {
            return;
        }
        for format in ["table", "line", "md", "jsonl", "json", "la-api", "csv", "tsv", "parquet", "arrow"] {
            let full = shell("exec \"$0\" \"$@\" >/dev/full", &["print a = 1", "-o", format]);
            assert_eq!(full.code, 6, "{format}: {}", full.stderr);
            assert!(full.stderr.contains("the disk is full"), "{format}: {}", full.stderr);
        }
        assert_eq!(shell("exec \"$0\" \"$@\" >/dev/full", &["functions"]).code, 6);
        assert_eq!(shell("exec \"$0\" \"$@\"", &["print a = 1", "-o", "csv", "-O", "/dev/full"]).code, 6);
        assert!(fs::metadata("/dev/full").expect("a device").file_type().is_char_device(), "a device is not replaced");
    }

    #[test]
    fn files_that_grow_too_large_are_a_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let answer = folder.path().join("answer.csv").display().to_string();
        let script = "ulimit -f 8; exec \"$0\" \"$@\"";
        let limited = shell(script, &["range x from 1 to 100000 step 1", "-O", &answer]);
        assert_eq!(limited.code, 6, "{}", limited.stderr);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn a_closed_stdout_is_refused() {
        for args in [&["print 1"][..], &["functions"], &["schema", "SigninLogs", "testdata/signinlogs"], &["man"]] {
            let closed = shell("exec \"$0\" \"$@\" >&-", args);
            assert_eq!(closed.code, 2, "{args:?}: {}", closed.stderr);
            assert!(closed.stderr.contains("stdout is closed"), "{}", closed.stderr);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let answer = folder.path().join("answer.csv").display().to_string();
        assert_eq!(shell("exec \"$0\" \"$@\" >&-", &["print 1", "-O", &answer]).code, 0);
        assert_eq!(shell("exec \"$0\" \"$@\" >/dev/null", &["print 1"]).code, 0);
        assert_eq!(shell("exec \"$0\" \"$@\" <>/dev/null 1<>/dev/null", &["print 1"]).code, 0);
    }
}
