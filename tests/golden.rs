//! Runs the text cases and plans of `testdata`, one trial per file. `UPDATE=1` records the results.

#![allow(clippy::pedantic, reason = "tests and benchmarks say what they mean in few words")]

mod support {
    pub mod diff;
    pub mod golden;
    pub mod wire;
}

use std::path::PathBuf;
use std::process::ExitCode;

use coldcase::optimizer::RULES;
use libtest_mimic::{Arguments, Failed, Trial};

use support::golden::{CaseFile, Configuration};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let update = std::env::var_os("UPDATE").is_some();
    let mut trials = vec![
        Trial::test("every shape of export is tested", every_shape_is_tested),
        Trial::test("every rule has plans", every_rule_has_plans),
    ];
    trials.extend(files("testdata/kql", "test").into_iter().flat_map(|path| trials_of_cases(path, update)));
    trials.extend(files("testdata/plans", "plan").into_iter().map(|path| trial_of_plans(path, update)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Returns the files in `folder` with this extension, sorted.
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
    let trial = |folder: Option<&str>, others: Vec<Configuration>| {
        let over = folder.map(|folder| format!(" over {folder}")).unwrap_or_default();
        let (path, folder) = (path.clone(), folder.map(str::to_owned));
        Trial::test(format!("{name}{over}"), move || {
            CaseFile::read(&path).check(&others, folder.as_deref()).map_err(Into::into)
        })
    };
    let mut trials: Vec<Trial> = match CaseFile::read(&path).folders().as_slice() {
        [] => vec![trial(None, Configuration::all())],
        folders => folders.iter().map(|folder| trial(Some(folder), Configuration::few())).collect(),
    };
    let printed = path.clone();
    trials.push(Trial::test(format!("{name} printed"), move || {
        CaseFile::read(&printed).check_printed().map_err(Into::into)
    }));
    trials.push(Trial::test(format!("{name} formatted"), move || {
        CaseFile::read(&path).check_formatted().map_err(Into::into)
    }));
    trials
}

fn trial_of_plans(path: PathBuf, update: bool) -> Trial {
    Trial::test(path.display().to_string(), move || {
        let file = CaseFile::read(&path);
        let folder = file.folders().first().map(|folder| (*folder).to_owned());
        if update {
            file.update();
        }
        CaseFile::read(&path).check(&[], folder.as_deref()).map_err(Into::into)
    })
}

/// Every optimizer rule has a plan file of its name.
fn every_rule_has_plans() -> Result<(), Failed> {
    let has_plans = |name: &&str| std::path::Path::new(&format!("testdata/plans/{name}.plan")).exists();
    let without: Vec<&str> = RULES.iter().map(|rule| rule.name).filter(|name| !has_plans(name)).collect();
    if without.is_empty() { Ok(()) } else { Err(format!("without testdata/plans/*.plan: {without:?}").into()) }
}

/// Every export shape has cases.
fn every_shape_is_tested() -> Result<(), Failed> {
    let cases: Vec<CaseFile> = files("testdata/kql", "test").iter().map(|path| CaseFile::read(path)).collect();
    let tested: Vec<&str> = cases.iter().flat_map(CaseFile::folders).flat_map(|folders| folders.split('+')).collect();
    let shapes = std::fs::read_dir("testdata/shapes")?.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let names: Vec<String> = shapes.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let is_tested = |name: &str| tested.contains(&format!("shapes/{name}").as_str());
    let wrong: Vec<&String> = names.iter().filter(|name| !is_tested(name)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("without cases: {wrong:?}").into()) }
}
