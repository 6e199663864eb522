//! Checks the structure of the source: which module may import which, which files may use which crate, and what code
//! below the front doors must not do. The tables here are the rules; a new module or dependency needs a row.

use std::fs;
use std::path::{Path, PathBuf};

/// Every top-level module with its layer. A module imports only from lower layers.
const LAYERS: &[(&str, usize)] = &[
    ("diagnostic", 0),
    ("json", 1),
    ("memory", 1),
    ("temporary", 1),
    ("types", 2),
    ("syntax", 3),
    ("functions", 3),
    ("entra", 3),
    ("rules", 4),
    ("storage", 4),
    ("expr", 5),
    ("scan", 5),
    ("records", 6),
    ("parquet", 6),
    ("plan", 6),
    ("delta", 7),
    ("source", 8),
    ("binder", 8),
    ("optimizer", 8),
    ("exec", 8),
    ("engine", 9),
    ("messages", 9),
    ("backtest", 10),
    ("convert", 10),
    ("html", 10),
    ("hunt", 10),
    ("output", 10),
    ("synth", 10),
    ("cli", 12),
];

/// Every dependency with the files and folders of `src` that may use it.
const OWNERS: &[(&str, &[&str])] = &[
    ("aho_corasick", &["functions/needle.rs", "functions/operator", "functions/scalar", "source/text"]),
    ("annotate_snippets", &["diagnostic/render.rs"]),
    ("anstream", &["cli"]),
    (
        "arrow",
        &[
            "diagnostic/mod.rs",
            "types",
            "functions",
            "expr",
            "scan",
            "parquet",
            "source",
            "exec",
            "convert",
            "output",
            "synth",
        ],
    ),
    ("base64", &["functions/distinct_set.rs", "functions/scalar/compress.rs", "functions/scalar/encode.rs"]),
    ("bytes", &["records/open.rs", "parquet", "storage/remote"]),
    ("bzip2", &["records"]),
    ("chrono", &["types/datetime", "functions/scalar/timezone.rs", "cli"]),
    ("chrono_tz", &["functions/scalar/timezone.rs"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("crc32fast", &["parquet"]),
    ("encoding_rs", &["records", "storage/text_settings.rs"]),
    ("csv", &["source", "records", "output/csv.rs", "functions/scalar/parse.rs", "cli/rule/tune"]),
    ("ctrlc", &["cli/stop"]),
    ("ctor", &["cli/stdout.rs"]),
    ("etcetera", &["cli/sources/catalog_file.rs"]),
    ("flate2", &["records", "storage", "synth", "functions/scalar"]),
    ("foldhash", &["functions", "exec", "types/interner", "source/id_sketch.rs"]),
    ("futures_util", &["storage/remote"]),
    ("globset", &["storage/glob.rs"]),
    ("granit_parser", &["rules/yaml.rs"]),
    ("hashbrown", &["functions", "exec", "source/text"]),
    ("idna", &["functions/scalar/punycode.rs"]),
    ("libm", &["functions/scalar/beta.rs", "functions/scalar/special_math.rs"]),
    ("lz4_flex", &["exec/spill/file.rs"]),
    ("md5", &["functions/scalar/hash.rs"]),
    ("maxminddb", &["functions/location.rs"]),
    ("memchr", &["json", "types", "functions", "entra", "records", "parquet", "source"]),
    ("mimalloc", &["main.rs"]),
    ("nom", &["syntax"]),
    ("object_store", &["storage/remote"]),
    ("parquet", &["parquet", "convert/writer.rs", "output/parquet.rs", "synth"]),
    ("percent_encoding", &["storage/percent.rs", "functions/scalar/url.rs"]),
    ("rand", &["synth", "functions"]),
    ("rand_chacha", &["synth", "functions"]),
    ("rayon", &["exec/scheduler.rs", "storage/parallel.rs"]),
    ("regex", &["functions"]),
    ("reqwest", &["storage/remote/client.rs"]),
    ("roxmltree", &["functions/scalar/xml.rs"]),
    ("serde", &["cli/configuration", "cli/backtest", "cli/memory.rs", "functions/scalar/user_agent"]),
    (
        "serde_json",
        &[
            "parquet",
            "storage",
            "convert/publish.rs",
            "convert/staging.rs",
            "diagnostic/render.rs",
            "types/dynamic",
            "functions",
            "source",
            "output",
            "cli",
            "rules/json.rs",
            "backtest",
            "hunt",
            "synth",
        ],
    ),
    ("sha1", &["functions/scalar/hash.rs"]),
    ("sha2", &["backtest/joined_alerts.rs", "cli/digest.rs", "functions/scalar/hash.rs"]),
    ("signal_hook", &["cli/stop"]),
    ("simdutf8", &["source", "json", "types"]),
    ("wide", &["json"]),
    ("snap", &["records", "parquet"]),
    ("strsim", &["diagnostic/suggest.rs", "cli/sources/names.rs"]),
    ("sysinfo", &["cli/memory.rs"]),
    ("tempfile", &["temporary"]),
    ("terminal_size", &["cli/terminal.rs"]),
    ("tokio", &["storage/remote"]),
    ("toml", &["cli/configuration", "cli/backtest", "cli/memory.rs"]),
    ("twox_hash", &["functions/scalar/hash.rs"]),
    ("ua_parser", &["functions/scalar/user_agent"]),
    ("unicode_width", &["output"]),
    ("zip", &["storage/zip_archive.rs"]),
    ("zstd", &["parquet", "records", "synth"]),
];

/// Reserved to the front doors: printing, reading the clock or the environment.
const FRONT_DOORS_ONLY: &[&str] = &[
    "print!(",
    "println!(",
    "eprint!(",
    "eprintln!(",
    "SystemTime::",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "env::var",
    "env::args",
    "process::exit",
];

/// Forbidden outside tests.
const NOBODY: &[&str] = &["todo!(", "dbg!(", "unimplemented!(", ".unwrap()", "unsafe ", "macro_rules!"];

/// Files whose matches over plans, expressions and syntax must name every variant, so that the compiler lists what a
/// new one needs.
const EXHAUSTIVE: &[&str] = &["plan/visit.rs", "expr/visit.rs"];

/// Test modules that their names do not show.
const TEST_MODULES: &[&str] = &["engine/examples.rs", "source/text/reference/"];

/// A line of code outside tests, without comments.
struct Line {
    /// The path below `src`, with `/`.
    file: String,
    number: usize,
    code: String,
}

impl Line {
    /// The top-level module: `binder` of `binder/scope.rs`, `main` of `main.rs`.
    fn module(&self) -> &str {
        self.file.split(['/', '.']).next().unwrap_or_default()
    }

    fn is_below(&self, owners: &[&str]) -> bool {
        owners.iter().any(|owner| {
            self.file.strip_prefix(owner).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
        })
    }

    fn says(&self, what: &str) -> String {
        format!("src/{}:{}: {what}: {}", self.file, self.number, self.code.trim())
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

fn source_files() -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new("src").sort_by_file_name().into_iter().map(|entry| entry.expect("readable"));
    files.map(walkdir::DirEntry::into_path).filter(|path| path.extension().is_some_and(|e| e == "rs")).collect()
}

/// The lines of a file outside tests.
fn lines(path: &Path) -> Vec<Line> {
    let file = path.strip_prefix("src").expect("below src").to_string_lossy().replace('\\', "/");
    let is_test = file.contains("/tests/")
        || file.ends_with("tests.rs")
        || TEST_MODULES.iter().any(|module| file.starts_with(module));
    let text = if is_test { String::new() } else { fs::read_to_string(path).expect("source is text") };
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let without_comment = |line: &str| match line.find("//").filter(|at| !line[..*at].contains('"')) {
        Some(at) => line[..at].to_owned(),
        None => line.to_owned(),
    };
    let line = |(index, line)| Line { file: file.clone(), number: index + 1, code: without_comment(line) };
    code.lines().enumerate().map(line).collect()
}

fn all_lines() -> Vec<Line> {
    source_files().iter().flat_map(|path| lines(path)).collect()
}

/// The names after each `before` in `code`, unless `before` is the end of a longer name.
fn names_after<'a>(code: &'a str, before: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let starts = code.match_indices(before).filter(|(at, _)| !code[..*at].ends_with(is_name));
    starts.map(|(at, _)| code[at + before.len()..].split(|c| !is_name(c)).next().unwrap_or_default()).collect()
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn imports_go_down_the_layers() {
    let mut complaints = Vec::new();
    for line in all_lines() {
        if matches!(line.module(), "lib" | "main") {
            continue;
        }
        let Some(own) = layer(line.module()) else {
            complaints.push(line.says("no layer is known for this module"));
            continue;
        };
        for used in names_after(&line.code, "crate::") {
            match layer(used) {
                _ if used == line.module() => {}
                Some(other) if other < own => {}
                Some(other) => {
                    complaints.push(line.says(&format!("{} ({own}) may not use {used} ({other})", line.module())));
                }
                None => complaints.push(line.says(&format!("no layer is known for {used}"))),
            }
        }
    }
    complaints.dedup();
    none(&complaints);
}

#[test]
fn crates_are_used_only_by_their_owners() {
    let manifest = fs::read_to_string("Cargo.toml").expect("the manifest is text");
    let dependencies = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
    let declared = dependencies.expect("a section of dependencies").lines().filter_map(|line| line.split_once(" = "));
    let mut complaints: Vec<String> = declared
        .map(|(name, _)| name.replace('-', "_"))
        .filter(|name| !OWNERS.iter().any(|(owned, _)| owned == name))
        .map(|name| format!("Cargo.toml: no owner is known for {name}"))
        .collect();
    for path in source_files() {
        let lines = lines(&path);
        for (name, owners) in OWNERS {
            // A module of ours may have the name of a crate; in a file that declares it, the name means the module.
            let is_module = lines.iter().any(|line| line.code.trim().ends_with(&format!("mod {name};")));
            let foreign = lines.iter().filter(|line| !is_module && names_crate(&line.code, name));
            let wrong = foreign.filter(|line| !line.is_below(owners));
            complaints.extend(wrong.map(|line| line.says(&format!("{name} is owned by {}", owners.join(", ")))));
        }
    }
    none(&complaints);
}

/// True if `code` names the crate: `name::`, not inside another path or a longer name.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = &code[..at];
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

#[test]
fn only_front_doors_print_or_read_the_environment() {
    let below = all_lines().into_iter().filter(|line| !matches!(line.module(), "cli" | "server" | "main"));
    let complaints: Vec<String> = below
        .flat_map(|line| {
            let words = FRONT_DOORS_ONLY.iter().filter(|word| line.code.contains(**word));
            words.map(|word| line.says(&format!("`{word}` below the front doors"))).collect::<Vec<_>>()
        })
        .collect();
    none(&complaints);
}

#[test]
fn no_panics_or_unfinished_code() {
    let complaints: Vec<String> = all_lines()
        .iter()
        .flat_map(|line| {
            let words = NOBODY.iter().filter(|word| line.code.contains(**word) && !line.code.contains('"'));
            words.map(|word| line.says(&format!("`{word}`"))).collect::<Vec<_>>()
        })
        .collect();
    none(&complaints);
}

#[test]
fn matches_over_plans_and_expressions_are_exhaustive() {
    for file in EXHAUSTIVE {
        let path = Path::new("src").join(file);
        let text = fs::read_to_string(&path).expect("the file exists");
        let wrong = text.lines().position(|line| line.trim_start().starts_with("_ =>") && !line.contains("// "));
        assert_eq!(wrong.map(|line| line + 1), None, "src/{file} has an arm for everything else");
    }
}

#[test]
fn every_module_has_a_doc_comment() {
    let silent: Vec<String> = source_files()
        .into_iter()
        .filter(|path| !["src/main.rs", "src/lib.rs"].iter().any(|name| path == Path::new(name)))
        .filter(|path| !fs::read_to_string(path).expect("source is text").starts_with("//!"))
        .map(|path| format!("{} begins without `//!`", path.display()))
        .collect();
    none(&silent);
}
