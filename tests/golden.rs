//! The suites of text files, a trial for each file and configuration. `UPDATE=1` writes down what is answered.

#![allow(clippy::pedantic, reason = "tests and benchmarks say what they mean in few words")]

mod support {
    pub mod golden;
    pub mod wire;
}

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use support::golden::{CaseFile, Configuration};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let update = std::env::var_os("UPDATE").is_some();
    let trials = files("testdata/kql", "test").into_iter().flat_map(|path| trials_of_cases(path, update));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The files below `folder` with this extension, sorted.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.expect("readable"));
    entries.map(|entry| entry.into_path()).filter(|path| path.extension().is_some_and(|e| e == extension)).collect()
}

fn trials_of_cases(path: PathBuf, update: bool) -> Vec<Trial> {
    let name = path.strip_prefix("testdata/kql").unwrap_or(&path).display().to_string();
    if update {
        return vec![Trial::test(name, move || {
            CaseFile::read(&path).update();
            Ok(())
        })];
    }
    let folders: Vec<Option<String>> = match CaseFile::read(&path).folders().as_slice() {
        [] => vec![None],
        folders => folders.iter().map(|folder| Some((*folder).to_owned())).collect(),
    };
    let trial = |folder: &Option<String>, configuration: Configuration| {
        let over = folder.as_deref().map(|folder| format!(" over {folder}")).unwrap_or_default();
        let (path, folder) = (path.clone(), folder.clone());
        Trial::test(format!("{name}{over} {}", configuration.name()), move || {
            CaseFile::read(&path).check(configuration, folder.as_deref()).map_err(Into::into)
        })
    };
    folders.iter().flat_map(|folder| Configuration::all().map(|c| trial(folder, c)).collect::<Vec<_>>()).collect()
}
