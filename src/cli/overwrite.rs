//! Makes sure that no output overwrites an input: exports are evidence.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::session::Session;
use crate::diagnostic::{Error, Result};
use crate::messages::CommandWarning;

/// Returns an error if one of `outputs` (each with its flag) or the file of `--rejects` is an input of the session,
/// or if two outputs are the same file.
pub(super) fn refuse(session: &Session, outputs: &[(&str, Option<&Path>)]) -> Result<()> {
    let rejects = session.rejects.as_ref().map(|rejects| rejects.path());
    let outputs = outputs.iter().copied().chain([("--rejects", rejects)]);
    let outputs: Vec<(&str, &Path)> = outputs.filter_map(|(flag, path)| Some((flag, path?))).collect();
    if outputs.is_empty() {
        return Ok(());
    }
    for (index, (flag, path)) in outputs.iter().enumerate() {
        if let Some((other, _)) = outputs[..index].iter().find(|(_, earlier)| resolved(earlier) == resolved(path)) {
            return Err(Error::Usage(format!("{other} and {flag} name the same file, {}", path.display())));
        }
    }
    let existing: Vec<(&str, PathBuf)> =
        outputs.iter().filter_map(|(flag, path)| Some((*flag, fs::canonicalize(path).ok()?))).collect();
    warn_if_searched(session, &outputs);
    for input in session.catalog.inputs() {
        let Some(input) = input.file.local_path() else { continue };
        // Resolving the path of every input would take longer than most queries.
        let candidates =
            existing.iter().filter(|(_, path)| input.file_name() == path.file_name() || input.is_symlink());
        for (flag, path) in candidates {
            if fs::canonicalize(input).is_ok_and(|input| input == *path) {
                let text = format!(
                    "{flag} {}: this file is an input and would be overwritten; choose another name",
                    input.display()
                );
                return Err(Error::Usage(text));
            }
        }
    }
    Ok(())
}

/// Warns if a result is written to a folder in which records are searched: the next run over that folder would take
/// it for evidence. Parquet and Arrow results, manifests and rejects are exempt, because they are recognised and
/// skipped.
fn warn_if_searched(session: &Session, outputs: &[(&str, &Path)]) {
    let is_marked = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        ["parquet", "arrow", "arrows"].iter().any(|marked| extension.eq_ignore_ascii_case(marked))
    };
    let results = outputs.iter().filter(|(flag, path)| *flag == "-O" && !is_marked(path));
    let inputs = session.catalog.inputs();
    for (flag, path) in results {
        let result = resolved(path);
        let is_inside = |folder: &&Path| fs::canonicalize(folder).is_ok_and(|folder| result.starts_with(folder));
        let folders: BTreeSet<&Path> = inputs.iter().filter_map(|input| input.file.found_in()).collect();
        if let Some(folder) = folders.into_iter().find(is_inside) {
            let (file, folder) = (path.display().to_string(), folder.display().to_string());
            let warning = CommandWarning::ResultAmongInputs { flag: (*flag).to_owned(), file, folder };
            session.reporter.warn(warning);
        }
    }
}

/// The path of an existing or new file, with links resolved.
fn resolved(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok::<_, std::io::Error>(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default()))
    });
    real.unwrap_or_else(|_| path.to_owned())
}
