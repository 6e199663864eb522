//! Which catalog file counts: the one that is named, else one in the working folder, else the user's own.
//!
//! A catalog file decides what tables are, which functions stand for them and what is left out. Whoever hands over
//! evidence can put one beside it. So a file in the working folder counts only if nothing that is read lies in that
//! folder, above it or below it, and a call always says which one it uses.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use super::super::configuration::variable;
use super::super::talk::Message;
use super::Call;
use super::evidence::overlap;

/// The catalog file in the working folder.
const HERE: &str = "coldcase.toml";

/// The catalog file of a call.
#[derive(Debug)]
pub(in crate::cli) struct CatalogFile {
    /// The one that counts.
    pub file: Option<PathBuf>,
    found: Found,
    /// The one in the working folder, if it does not count for what is read there.
    pub unused: Option<PathBuf>,
}

/// How a catalog file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// By `-c`, or by the environment.
    Named,
    /// In the working folder.
    Here,
    /// Among the user's settings.
    Settings,
}

impl CatalogFile {
    /// The catalog file of a call that reads from `places`, links resolved.
    pub fn choose(call: &Call<'_>, places: &[PathBuf]) -> Self {
        let none = Self { file: None, found: Found::Named, unused: None };
        if call.no_catalog {
            return none;
        }
        let named = call.catalog.map(Path::to_owned).or_else(|| variable("CATALOG").map(PathBuf::from));
        if named.is_some() {
            return Self { file: named, ..none };
        }
        let here = Path::new(HERE);
        let is_here = here.is_file();
        if is_here && !is_beside(here, places) {
            return Self { file: Some(here.to_owned()), found: Found::Here, unused: None };
        }
        let settings = settings().filter(|path| path.is_file());
        Self { file: settings, found: Found::Settings, unused: is_here.then(|| here.to_owned()) }
    }

    /// True if the file lies in the working folder and nobody named it.
    pub fn is_from_here(&self) -> bool {
        self.file.is_some() && self.found == Found::Here
    }

    /// Which file counts, and which one does not.
    pub fn messages(&self) -> Vec<Message> {
        let place = match self.found {
            Found::Named => "",
            Found::Here => " of the working folder",
            Found::Settings => " of your settings",
        };
        let used = self.file.as_ref().map(|file| Message::Note(format!("using the catalog {}{place}", file.display())));
        let unused = self.unused.as_ref().map(|file| {
            Message::Warning(format!(
                "the catalog {} of the working folder is not used, for it lies beside the files that are read and may have \
                 come with them; to use it, name it with -c {0}, to drop this warning, add --no-catalog",
                file.display()
            ))
        });
        unused.into_iter().chain(used).collect()
    }
}

/// True if one of `places` lies in the folder of a catalog file, or around it. A link has two folders.
fn is_beside(catalog: &Path, places: &[PathBuf]) -> bool {
    let folder = fs::canonicalize(".").ok();
    let target = fs::canonicalize(catalog).ok().and_then(|file| Some(file.parent()?.to_owned()));
    let folders = [folder, target, std::env::current_dir().ok()];
    folders.iter().flatten().any(|folder| places.iter().any(|place| overlap(folder, place)))
}

/// The catalog file among the user's settings: below `$XDG_CONFIG_HOME` or `~/.config`; on Windows below `%APPDATA%`.
fn settings() -> Option<PathBuf> {
    let folder = etcetera::choose_base_strategy().ok()?.config_dir();
    Some(folder.join("coldcase").join("config.toml"))
}
