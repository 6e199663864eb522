//! Shared by the benchmarks: archives generated from a seed, and engines over them.
//!
//! Archives are generated once, in `target/bench`; remove that folder after changing the generator.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use coldcase::engine::{Engine, Settings};
use coldcase::scan::Catalog;
use coldcase::source::file_catalog::FileCatalogBuilder;
use coldcase::synth::{self, GeneratedTable, Shape, SynthCompression, SynthOptions};
use coldcase::types::datetime;

/// Sign-ins of an archive; few in unoptimised builds, where timing means nothing.
pub const ROWS: u64 = if cfg!(debug_assertions) { 2_000 } else { 100_000 };

/// Returns the number of threads of this machine.
pub fn threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Returns the folder of an archive of 30 days, and its size in bytes on disk.
pub fn archive(shape: Shape, compression: SynthCompression) -> (PathBuf, u64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    let folder = root.join(format!("tenant-{shape:?}-{compression:?}-{ROWS}").to_lowercase());
    if !folder.exists() {
        let out = folder.with_extension("partial");
        let _ = fs::remove_dir_all(&out);
        let options = SynthOptions {
            table: GeneratedTable::SigninLogs,
            rows: ROWS,
            seed: 1,
            days: 30,
            shape,
            compression,
            inject: Vec::new(),
            out: out.clone(),
            threads: threads(),
        };
        synth::generate(&options).expect("an archive can be made below target");
        fs::rename(out, &folder).expect("an archive can be named");
    }
    let bytes = bytes_below(&folder);
    (folder, bytes)
}

fn bytes_below(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

/// Creates an engine over the files in a folder.
pub fn engine_over(folder: &Path) -> Engine {
    let mut files = FileCatalogBuilder::default();
    files.add(folder).expect("the archive can be listed");
    engine(Arc::new(files.build()))
}

/// Creates an engine that uses all threads.
pub fn engine(catalog: Arc<dyn Catalog>) -> Engine {
    Engine::new(catalog, Settings { threads: threads(), ..Settings::new(datetime::UNIX_EPOCH) })
}

/// Returns name and text of the queries in `testdata/bench`, sorted by name.
pub fn queries() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bench");
    let entries = fs::read_dir(folder).expect("testdata/bench is there");
    let mut queries: Vec<(String, String)> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "kql"))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a query is text"))
        })
        .collect();
    queries.sort();
    queries
}

/// True if the engine can run a query; prints the reason if it cannot, so that a missing line is noticed.
pub fn is_answered(engine: &Engine, name: &str, query: &str) -> bool {
    match engine.prepare(query) {
        Ok(_) => true,
        Err(error) => {
            eprintln!("{name}: left out: {error}");
            false
        }
    }
}

/// Runs a query and returns its number of rows.
pub fn run(engine: &Engine, query: &str) -> usize {
    let result = engine.query(query).expect("the query was prepared before");
    result.batches.iter().map(|batch| batch.rows()).sum()
}
