//! Stored functions: functions that are defined in files, for all queries.
//!
//! The files are read when a query looks up a function for the first time. Offsets in their texts continue those of
//! the query: each text has a base offset (see [`Sources`]), so that messages can refer to positions in it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::{Code, Diagnostic, Error, Result, Sources};
use crate::storage::expand::expand;
use crate::storage::files::DataFile;
use crate::storage::remote::Access;
use crate::syntax::{Definition, MAX_FUNCTIONS, MAX_TEXT, decode_text, definitions};

/// Maximum number of files with stored functions.
const MAX_FILES: usize = 1000;

/// Maximum offset in any file, so that all files together have at most 64 MiB.
const MAX_BYTES: usize = MAX_TEXT + (64 << 20);

/// The stored functions of a run.
#[derive(Debug, Default)]
pub struct FunctionLibrary {
    patterns: Vec<PathBuf>,
    access: Arc<Access>,
    loaded: OnceLock<LoadedFunctions>,
}

/// The files that were loaded, and the functions in them.
#[derive(Debug, Default)]
struct LoadedFunctions {
    files: Vec<FunctionFile>,
    functions: BTreeMap<String, StoredFunction>,
}

/// A file with stored functions.
#[derive(Debug)]
pub struct FunctionFile {
    /// The file with its name and place.
    pub file: DataFile,
    /// The offset of the first byte of the file, among all sources.
    base: u32,
    text: Arc<str>,
    /// The errors in the file. If there are any, none of the functions of the library can be used.
    pub errors: Vec<Diagnostic>,
}

/// A function that a file defines.
#[derive(Clone, Debug)]
pub struct StoredFunction {
    /// The definition of the function.
    pub definition: Definition,
    /// The index of the file that defines it.
    file: usize,
}

impl FunctionLibrary {
    /// Creates a library of the functions in the files that `patterns` name: files, folders or globs.
    #[must_use]
    pub fn new(patterns: Vec<PathBuf>, access: Arc<Access>) -> Self {
        Self { patterns, access, loaded: OnceLock::new() }
    }

    /// Returns the function of this name (case-sensitive); None if there is none.
    ///
    /// # Errors
    /// A file cannot be read or has errors. Then no function is returned, because that file may define it.
    pub fn function(&self, name: &str) -> Result<Option<StoredFunction>> {
        if self.patterns.is_empty() {
            return Ok(None);
        }
        let loaded = self.loaded()?;
        let errors: Vec<Diagnostic> = loaded.files.iter().flat_map(|file| file.errors.clone()).collect();
        if errors.is_empty() { Ok(loaded.functions.get(name).cloned()) } else { Err(Error::Query(errors)) }
    }

    /// Returns every function, sorted by name.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn functions(&self) -> Result<impl Iterator<Item = &StoredFunction>> {
        Ok(self.loaded()?.functions.values())
    }

    /// Returns every file, in the order of the patterns.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn files(&self) -> Result<&[FunctionFile]> {
        Ok(&self.loaded()?.files)
    }

    /// Returns the file that defines `function`.
    #[must_use]
    pub fn file_of(&self, function: &StoredFunction) -> Option<&FunctionFile> {
        self.loaded.get()?.files.get(function.file)
    }

    /// Adds the loaded texts to `sources`, so that messages can refer to positions in them.
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
        let mut errors = Vec::new();
        match definitions(&text, base) {
            Ok(found) => {
                for definition in found {
                    errors.extend(self.define(definition, number));
                }
            }
            Err(list) => errors = list,
        }
        let base = u32::try_from(base).unwrap_or(u32::MAX);
        self.files.push(FunctionFile { file, base, text: text.into(), errors });
    }

    /// Adds a function. Returns the error if its name is already defined.
    fn define(&mut self, definition: Definition, file: usize) -> Option<Diagnostic> {
        let name = definition.name.clone();
        if let Some(earlier) = self.functions.get(&name.text) {
            let message = format!("the function `{}` is already defined", name.text);
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
        return Err(wrong(format!("a file with stored functions may have at most {MAX_FUNCTIONS} bytes")));
    }
    decode_text(bytes).map_err(|reason| {
        wrong(format!("a file with stored functions must be UTF-8, or UTF-16 with a byte order mark: {reason}"))
    })
}
