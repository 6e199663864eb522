//! Chooses the catalog file: the one that is named, else one in the working folder, else the one in the user's
//! settings.
//!
//! A catalog file defines tables and functions, and so decides what a query reads. An attacker could have planted one
//! beside the evidence. So a file in the working folder is used only if no input is in that folder, or in one above or
//! below it, and a note always names the file that is used.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use super::super::configuration::variable;
use super::super::reporter::Message;
use super::SourceOptions;
use super::locations::overlap;
use crate::messages::{CommandNote, CommandWarning};

/// The catalog file in the working folder.
const FILE_NAME: &str = "coldcase.toml";

/// The catalog file of a command.
#[derive(Debug)]
pub(in crate::cli) struct CatalogFile {
    /// The file that is used.
    pub file: Option<PathBuf>,
    origin: CatalogOrigin,
    /// The file in the working folder, if it is not used because of the inputs beside it.
    pub unused: Option<PathBuf>,
}

/// How the catalog file was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CatalogOrigin {
    /// Named by `-c` or the environment.
    Named,
    /// In the working folder.
    WorkingFolder,
    /// In the user's settings folder.
    Settings,
}

impl CatalogFile {
    /// Chooses the catalog file of a command that reads from `paths`, in which links are resolved.
    pub fn choose(call: &SourceOptions<'_>, paths: &[PathBuf]) -> Self {
        let none = Self { file: None, origin: CatalogOrigin::Named, unused: None };
        if call.no_catalog {
            return none;
        }
        let named = call.catalog.map(Path::to_owned).or_else(|| variable("CATALOG").map(PathBuf::from));
        if named.is_some() {
            return Self { file: named, ..none };
        }
        let local = Path::new(FILE_NAME);
        let exists = local.is_file();
        if exists && !is_beside(local, paths) {
            return Self { file: Some(local.to_owned()), origin: CatalogOrigin::WorkingFolder, unused: None };
        }
        let settings = settings().filter(|path| path.is_file());
        Self { file: settings, origin: CatalogOrigin::Settings, unused: exists.then(|| local.to_owned()) }
    }

    /// True if the file was found in the working folder and not named.
    pub fn is_from_working_folder(&self) -> bool {
        self.file.is_some() && self.origin == CatalogOrigin::WorkingFolder
    }

    /// Messages about the file that is used, and the one that is not.
    pub fn messages(&self) -> Vec<Message> {
        let found_in = match self.origin {
            CatalogOrigin::Named => None,
            CatalogOrigin::WorkingFolder => Some("the working folder"),
            CatalogOrigin::Settings => Some("your settings"),
        };
        let used = |file: &PathBuf| CommandNote::CatalogUsed { file: file.display().to_string(), found_in }.into();
        let used = self.file.as_ref().map(used);
        let unused = self.unused.as_ref().map(|file| CommandWarning::CatalogUnused(file.display().to_string()).into());
        unused.into_iter().chain(used).collect()
    }
}

/// True if one of `paths` is inside the folder of a catalog file, or contains it. A link counts with both of its
/// folders.
fn is_beside(catalog: &Path, paths: &[PathBuf]) -> bool {
    let folder = fs::canonicalize(".").ok();
    let target = fs::canonicalize(catalog).ok().and_then(|file| Some(file.parent()?.to_owned()));
    let folders = [folder, target, std::env::current_dir().ok()];
    folders.iter().flatten().any(|folder| paths.iter().any(|path| overlap(folder, path)))
}

/// The catalog file in the user's settings folder: in `$XDG_CONFIG_HOME` or `~/.config`; on Windows in `%APPDATA%`.
fn settings() -> Option<PathBuf> {
    let folder = etcetera::choose_base_strategy().ok()?.config_dir();
    Some(folder.join("coldcase").join("config.toml"))
}
