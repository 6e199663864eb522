//! What is written never takes the place of what is read: exports are evidence.

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
        outputs.into_iter().filter_map(|(flag, path)| Some((flag, fs::canonicalize(path).ok()?))).collect();
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

/// Where a file is, or will be.
fn place(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok::<_, std::io::Error>(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default()))
    });
    real.unwrap_or_else(|_| path.to_owned())
}
