//! What is written never takes the place of what is read: exports are evidence.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::session::Session;
use crate::diagnostic::{Error, Result};

/// An error where one of these files, each with the flag that names it, is one of the session's inputs, or where two of
/// them are one.
pub(super) fn refuse(session: &Session, outputs: &[(&str, Option<&Path>)]) -> Result<()> {
    let rejects = session.rejects.as_ref().map(|rejects| rejects.path());
    let outputs = outputs.iter().copied().chain([("--rejects", rejects)]);
    let outputs: Vec<(&str, &Path)> = outputs.filter_map(|(flag, path)| Some((flag, path?))).collect();
    if outputs.is_empty() {
        return Ok(());
    }
    for (index, (flag, path)) in outputs.iter().enumerate() {
        if let Some((other, _)) = outputs[..index].iter().find(|(_, earlier)| place(earlier) == place(path)) {
            return Err(Error::Usage(format!("{other} and {flag} name the same file, {}", path.display())));
        }
    }
    let existing: Vec<(&str, PathBuf)> =
        outputs.iter().filter_map(|(flag, path)| Some((*flag, fs::canonicalize(path).ok()?))).collect();
    warn_of_evidence(session, &outputs);
    for input in session.catalog.inputs() {
        let Some(input) = input.file.local_path() else { continue };
        // Asking for the real place of every input would take longer than most queries.
        let alike = existing.iter().filter(|(_, path)| input.file_name() == path.file_name() || input.is_symlink());
        for (flag, path) in alike {
            if fs::canonicalize(input).is_ok_and(|input| input == *path) {
                let text =
                    format!("{flag} {}: the file is read, and would be overwritten: name another", input.display());
                return Err(Error::Usage(text));
            }
        }
    }
    Ok(())
}

/// Warns of an answer that the next search of a folder would take for evidence. What this program can tell by its contents
/// is left out then: Parquet and Arrow answers, manifests and rejects.
fn warn_of_evidence(session: &Session, outputs: &[(&str, &Path)]) {
    let is_marked = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        ["parquet", "arrow", "arrows"].iter().any(|marked| extension.eq_ignore_ascii_case(marked))
    };
    let answers = outputs.iter().filter(|(flag, path)| *flag == "-O" && !is_marked(path));
    let inputs = session.catalog.inputs();
    for (flag, path) in answers {
        let answer = place(path);
        let is_inside = |folder: &&Path| fs::canonicalize(folder).is_ok_and(|folder| answer.starts_with(folder));
        let folders: BTreeSet<&Path> = inputs.iter().filter_map(|input| input.file.found_in()).collect();
        if let Some(folder) = folders.into_iter().find(is_inside) {
            session.talk.say(&format!(
                "warning: {flag} {} lies in {}, which is searched for records: the next run over that folder reads it as \
                 evidence; write it elsewhere",
                path.display(),
                folder.display()
            ));
        }
    }
}

/// Where a file is, or will be.
fn place(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok::<_, std::io::Error>(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default()))
    });
    real.unwrap_or_else(|_| path.to_owned())
}
