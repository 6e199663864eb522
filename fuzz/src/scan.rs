//! Files of any content as tables: read in several ways, which must agree.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coldcase::diagnostic::Error;
use coldcase::engine::{Engine, Flow, Settings};
use coldcase::scan::Catalog;
use coldcase::source::file_catalog::FileCatalogBuilder;
use coldcase::storage::limits::ReadLimits;
use coldcase::types::{Type, datetime};

/// Bytes that a packed file may unpack to: few, so that bombs end soon.
const MAX_UNPACKED: u64 = 8 << 20;

/// The known tables, and the name that a file is bound to whatever it holds.
const TABLES: [&str; 7] = [
    "AADNonInteractiveUserSignInLogs",
    "AADServicePrincipalSignInLogs",
    "AADManagedIdentitySignInLogs",
    "AuditLogs",
    "AADRiskyUsers",
    "AADUserRiskEvents",
    "Bound",
];

/// Rows that are looked at, one by one, through filters.
const FILTERED: usize = 2;

/// What a query answers, and what was said of the files.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// Name and type of each column.
    pub columns: Vec<(String, Type)>,
    /// The values as text.
    pub rows: Vec<Vec<String>>,
    /// Records that could not be read.
    pub lost: u64,
    /// True where anything was said of the files.
    pub told: bool,
}

/// How a query is run.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Threads that read.
    pub threads: usize,
    /// Rows a batch has at most.
    pub batch_rows: usize,
    /// Whether plans are improved.
    pub optimize: bool,
}

/// How queries run unless asked otherwise.
pub const PLAIN: Way = Way { threads: 1, batch_rows: 8_192, optimize: true };

thread_local! {
    static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

/// The folder with the samples, of the program's package or of one below it.
pub fn testdata() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().map(|folder| folder.join("testdata")).find(|folder| folder.is_dir()).expect("the samples")
}

/// A folder for the files of one case; it is the same one for all of them.
pub fn folder() -> PathBuf {
    FOLDER.with(|folder| {
        let mut folder = folder.borrow_mut();
        folder.get_or_insert_with(|| tempfile::tempdir().expect("a folder")).path().to_owned()
    })
}

/// Writes the file `name`.
pub fn write(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("a file");
    path
}

/// The tables in a file. The file is also bound to the name `Bound`.
pub fn catalog(path: &Path) -> Option<Arc<dyn Catalog>> {
    let mut builder = FileCatalogBuilder::default();
    builder.limit(ReadLimits { max_decompressed: Some(MAX_UNPACKED), ..ReadLimits::default() });
    builder.add(path).ok()?;
    builder.bind("Bound", path).ok()?;
    Some(Arc::new(builder.build()))
}

/// The answer of a query; why not, where there is none.
///
/// # Panics
/// Where the program says that it has a bug.
pub fn ask(catalog: &Arc<dyn Catalog>, query: &str, way: Way) -> Result<Found, String> {
    let settings = Settings {
        threads: way.threads,
        batch_rows: way.batch_rows,
        optimize: way.optimize,
        ..Settings::new(datetime::UNIX_EPOCH)
    };
    let refused = |error: Error| match error {
        Error::Internal(message) => panic!("internal error: {message}: {query}"),
        other => other.to_string(),
    };
    let prepared = Engine::new(Arc::clone(catalog), settings).prepare(query).map_err(refused)?;
    let columns = prepared.schema().fields().iter().map(|field| (field.name.to_string(), field.ty)).collect();
    let mut rows = Vec::new();
    let run = prepared.run(&mut |batch| {
        // A few times as many where the columns are narrow.
        assert!(batch.rows() <= 4 * way.batch_rows, "a batch of {} rows", batch.rows());
        let row = |row: usize| batch.columns().iter().map(|column| column.value(row).to_text()).collect();
        rows.extend((0..batch.rows()).map(row));
        Ok(Flow::Continue(()))
    });
    run.map_err(refused)?;
    let report = prepared.report();
    let lost = report.problems().values().map(|problems| problems.lost).sum();
    let said = !report.notes().is_empty() || !report.warnings().is_empty() || !report.damage().is_empty();
    let told = lost > 0 || said;
    Ok(Found { columns, rows, lost, told })
}

/// Reads the file in every way.
///
/// # Panics
/// Where two ways differ.
pub fn check_file(name: &str, bytes: &[u8]) {
    let Some(catalog) = catalog(&write(name, bytes)) else { return };
    let seed = bytes.iter().fold(bytes.len(), |seed, byte| seed.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    // Damage to one column of Parquet is met by those who read it.
    let by_column = bytes.windows(4).any(|word| word == b"PAR1");
    check_table(&catalog, "SigninLogs", seed, by_column);
    check_table(&catalog, TABLES[seed % TABLES.len()], seed / TABLES.len(), by_column);
}

fn check_table(catalog: &Arc<dyn Catalog>, table: &str, seed: usize, by_column: bool) {
    let whole = ask(catalog, table, PLAIN);
    let small = Way { threads: 1 + seed % 3, batch_rows: 1 + seed % 5, optimize: seed.is_multiple_of(2) };
    let again = ask(catalog, table, small);
    match (&whole, &again) {
        (Ok(whole), Ok(again)) => assert_same(whole, again, table),
        (Err(_), Err(_)) => return,
        (whole, again) => panic!("{table}: {whole:?}, but {small:?}: {again:?}"),
    }
    let Ok(whole) = whole else { return };
    if whole.columns.is_empty() {
        return;
    }
    if by_column && whole.lost > 0 {
        return;
    }
    check_columns(catalog, table, &whole, seed);
    for at in 0..FILTERED.min(whole.rows.len()) {
        check_filter((catalog, by_column), table, &whole, seed.rotate_right(u32::try_from(at * 7).unwrap_or(0)));
    }
}

fn assert_same(one: &Found, other: &Found, what: &str) {
    assert_eq!(one.columns, other.columns, "{what}");
    assert_rows(&one.rows, &other.rows, what);
    assert_eq!(one.lost, other.lost, "{what}: lost");
}

/// Panics with the first row that differs.
pub fn assert_rows(one: &[Vec<String>], other: &[Vec<String>], what: &str) {
    if let Some(at) = one.iter().zip(other).position(|(one, other)| one != other) {
        let cells = one[at].iter().zip(&other[at]).filter(|(one, other)| one != other).collect::<Vec<_>>();
        panic!("{what}: row {at}: {cells:?}");
    }
    assert_eq!(one.len(), other.len(), "{what}: rows");
}

/// Some of the columns have the values that they have among all.
fn check_columns(catalog: &Arc<dyn Catalog>, table: &str, whole: &Found, seed: usize) {
    let count = whole.columns.len();
    let mut chosen = vec![seed % count, (seed / 7) % count, (seed / 1_001) % count];
    chosen.sort_unstable();
    chosen.dedup();
    let names: Vec<String> = chosen.iter().map(|&at| quoted_name(&whole.columns[at].0)).collect();
    let query = format!("{table} | project {}", names.join(", "));
    let found = ask(catalog, &query, PLAIN).unwrap_or_else(|why| panic!("{query}: {why}"));
    let expected: Vec<Vec<String>> =
        whole.rows.iter().map(|row| chosen.iter().map(|&at| row[at].clone()).collect()).collect();
    assert_rows(&expected, &found.rows, &query);
    assert_eq!(whole.lost, found.lost, "{query}: lost");
}

/// A filter keeps the rows that have the value. Statistics of Parquet have no checksum: where `by_statistics` says that
/// there are some, damage to them may hide rows, but makes none.
fn check_filter((catalog, by_statistics): (&Arc<dyn Catalog>, bool), table: &str, whole: &Found, seed: usize) {
    let row = &whole.rows[seed % whole.rows.len()];
    let count = whole.columns.len();
    let usable = |at: &usize| literal(whole.columns[*at].1, &row[*at]).is_some();
    let Some(at) = (0..count).map(|step| (seed / 3 + step) % count).find(usable) else { return };
    let (name, ty) = &whole.columns[at];
    let Some(value) = literal(*ty, &row[at]) else { return };
    let symbol = if *ty == Type::String && seed.is_multiple_of(2) { "contains_cs" } else { "==" };
    let query = format!("{table} | where {} {symbol} {value}", quoted_name(name));
    let found = ask(catalog, &query, PLAIN).unwrap_or_else(|why| panic!("{query}: {why}"));
    let fits = |other: &&Vec<String>| match symbol {
        "==" => other[at] == row[at],
        _ => other[at].contains(&row[at]),
    };
    let expected: Vec<Vec<String>> = whole.rows.iter().filter(fits).cloned().collect();
    if by_statistics {
        let made = found.rows.iter().find(|row| !expected.contains(row));
        assert!(made.is_none(), "{query}: {made:?}");
    } else {
        assert_rows(&expected, &found.rows, &query);
    }
    assert!(found.lost <= whole.lost, "{query}: lost {} of {}", found.lost, whole.lost);
}

/// A literal of the value that has this text; None for types whose values compare in another way than their texts.
fn literal(ty: Type, text: &str) -> Option<String> {
    match ty {
        _ if text.is_empty() => None,
        Type::String if text.len() < 200 => Some(quoted(text)),
        Type::Long => Some(format!("long({text})")),
        Type::Int => Some(format!("int({text})")),
        Type::Datetime => Some(format!("datetime({text})")),
        Type::Bool => Some(text.to_lowercase()),
        _ => None,
    }
}

/// The text in quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            character if u32::from(character) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            character => out.push(character),
        }
    }
    out + "\""
}

fn quoted_name(name: &str) -> String {
    format!("[{}]", quoted(name))
}
