//! Stored functions: files that define functions for all queries.
//!
//! The files are read when a query first looks for one. Their texts stand behind that of the query, each from a place of
//! its own on (see [`Sources`]), so that messages can point into them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::{Code, Diagnostic, Error, Result, Sources};
use crate::storage::expand::expand;
use crate::storage::files::DataFile;
use crate::storage::remote::Access;
use crate::syntax::{Definition, MAX_FUNCTIONS, MAX_TEXT, decode_text, definitions};

/// Files of functions that are read at most.
const MAX_FILES: usize = 1000;

/// Bytes that they may have together.
const MAX_BYTES: usize = MAX_TEXT + (64 << 20);

/// Functions in files.
#[derive(Debug, Default)]
pub struct FunctionLibrary {
    patterns: Vec<PathBuf>,
    access: Arc<Access>,
    loaded: OnceLock<LoadedFunctions>,
}

/// What was found in the files.
#[derive(Debug, Default)]
struct LoadedFunctions {
    files: Vec<FunctionFile>,
    functions: BTreeMap<String, StoredFunction>,
}

/// A file of functions.
#[derive(Debug)]
pub struct FunctionFile {
    /// The file.
    pub file: DataFile,
    /// The place of its first byte.
    base: u32,
    text: Arc<str>,
    /// Why it is no file of functions; nothing of it counts then.
    pub mistakes: Vec<Diagnostic>,
}

/// A function that a file defines.
#[derive(Clone, Debug)]
pub struct StoredFunction {
    /// The function.
    pub definition: Definition,
    /// The number of its file.
    file: usize,
}

impl FunctionLibrary {
    /// The functions in the files that `patterns` name: files, folders, globs.
    #[must_use]
    pub fn new(patterns: Vec<PathBuf>, access: Arc<Access>) -> Self {
        Self { patterns, access, loaded: OnceLock::new() }
    }

    /// The function of this name (case-sensitive).
    ///
    /// # Errors
    /// Files that cannot be read, or that are no files of functions: one of these may have the name.
    pub fn function(&self, name: &str) -> Result<Option<StoredFunction>> {
        if self.patterns.is_empty() {
            return Ok(None);
        }
        let loaded = self.loaded()?;
        let mistakes: Vec<Diagnostic> = loaded.files.iter().flat_map(|file| file.mistakes.clone()).collect();
        if mistakes.is_empty() { Ok(loaded.functions.get(name).cloned()) } else { Err(Error::Query(mistakes)) }
    }

    /// Every function, by name.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn functions(&self) -> Result<impl Iterator<Item = &StoredFunction>> {
        Ok(self.loaded()?.functions.values())
    }

    /// Every file, in the order in which the patterns name them.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn files(&self) -> Result<&[FunctionFile]> {
        Ok(&self.loaded()?.files)
    }

    /// The file that defines `function`.
    #[must_use]
    pub fn file_of(&self, function: &StoredFunction) -> Option<&FunctionFile> {
        self.loaded.get()?.files.get(function.file)
    }

    /// Adds the texts that were read to those that messages point into.
    pub fn add_to(&self, sources: &mut Sources) {
        for file in self.loaded.get().iter().flat_map(|loaded| &loaded.files) {
            sources.add(file.base, Arc::clone(&file.text), &file.file.name);
        }
    }

    fn loaded(&self) -> Result<&LoadedFunctions> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let loaded = self.load()?;
        Ok(self.loaded.get_or_init(|| loaded))
    }

    fn load(&self) -> Result<LoadedFunctions> {
        let (mut loaded, mut base) = (LoadedFunctions::default(), MAX_TEXT + 1);
        for pattern in &self.patterns {
            for file in expand(pattern.as_os_str(), &self.access)?.files {
                if loaded.files.iter().any(|known| known.file.name == file.name) {
                    continue;
                }
                let text = read(&file)?;
                let next = base + text.len() + 1;
                if loaded.files.len() >= MAX_FILES || next > MAX_BYTES {
                    let message = format!(
                        "[functions]: more than {MAX_FILES} files or {} MB; name fewer files",
                        (MAX_BYTES - MAX_TEXT) >> 20
                    );
                    return Err(Error::Limit(message));
                }
                loaded.add(file, text, base);
                base = next;
            }
        }
        Ok(loaded)
    }
}

impl LoadedFunctions {
    fn add(&mut self, file: DataFile, text: String, base: usize) {
        let number = self.files.len();
        let mut mistakes = Vec::new();
        match definitions(&text, base) {
            Ok(found) => {
                for definition in found {
                    mistakes.extend(self.define(definition, number));
                }
            }
            Err(list) => mistakes = list,
        }
        let base = u32::try_from(base).unwrap_or(u32::MAX);
        self.files.push(FunctionFile { file, base, text: text.into(), mistakes });
    }

    /// A mistake where the name is taken.
    fn define(&mut self, definition: Definition, file: usize) -> Option<Diagnostic> {
        let name = definition.name.clone();
        if let Some(earlier) = self.functions.get(&name.text) {
            let message = format!("the function `{}` is defined already", name.text);
            let diagnostic = Diagnostic::new(Code::DuplicateName, name.span, message);
            return Some(diagnostic.label(earlier.definition.name.span, "here"));
        }
        self.functions.insert(name.text, StoredFunction { definition, file });
        None
    }
}

fn read(file: &DataFile) -> Result<String> {
    let wrong = |reason: String| Error::Data { file: file.name.clone(), place: None, reason };
    let mut bytes = Vec::new();
    let most = MAX_FUNCTIONS as u64 + 1;
    file.open_stored()?.take(most).read_to_end(&mut bytes).map_err(|error| file.failed(error))?;
    if bytes.len() > MAX_FUNCTIONS {
        return Err(wrong(format!("a file of functions has {MAX_FUNCTIONS} bytes at most")));
    }
    decode_text(bytes)
        .map_err(|reason| wrong(format!("a file of functions is UTF-8 or UTF-16 with a byte order mark: {reason}")))
}
