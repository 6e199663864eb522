//! Makes sure that no output overwrites an input: exports are evidence.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::session::Session;
use super::sources;
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
/// skipped, and so are results with a manifest in the folder.
fn warn_if_searched(session: &Session, outputs: &[(&str, &Path)]) {
    let is_marked =
        |path: &Path| path.extension().and_then(|extension| extension.to_str()).is_some_and(sources::is_marked);
    let results = outputs.iter().filter(|(flag, path)| *flag == "-O" && !is_marked(path));
    let is_json = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let manifests = outputs.iter().filter(|(flag, path)| *flag == "--manifest" && is_json(path));
    let manifests: Vec<PathBuf> = manifests.map(|(_, path)| resolved(path)).collect();
    let inputs = session.catalog.inputs();
    for (flag, path) in results {
        let result = resolved(path);
        let is_inside = |folder: &&Path| is_below(&result, folder);
        let folders: BTreeSet<&Path> = inputs.iter().filter_map(|input| input.file.found_in()).collect();
        let has_manifest = |folder: &&Path| manifests.iter().any(|manifest| is_below(manifest, folder));
        if let Some(folder) = folders.into_iter().filter(is_inside).find(|folder| !has_manifest(folder)) {
            let (file, folder) = (path.display().to_string(), folder.display().to_string());
            let warning = CommandWarning::ResultAmongInputs { flag: (*flag).to_owned(), file, folder };
            session.reporter.warn(warning);
        }
    }
}

/// True if a resolved path is inside a folder.
fn is_below(path: &Path, folder: &Path) -> bool {
    fs::canonicalize(folder).is_ok_and(|folder| path.starts_with(folder))
}

/// The path of an existing or new file, with links resolved.
fn resolved(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok::<_, std::io::Error>(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default()))
    });
    real.unwrap_or_else(|_| path.to_owned())
}
