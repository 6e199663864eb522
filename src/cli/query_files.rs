//! Files that hold queries: finding, reading and rewriting them.

use std::fs::{self, DirEntry};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::destination;
use crate::diagnostic::{Error, Result};
use crate::syntax::{MAX_TEXT, decode_text};

/// The extensions of files that hold one query.
pub(super) const QUERY_EXTENSIONS: &[&str] = &["kql", "kusto", "csl"];

/// The number of folders inside each other that are searched at most.
const MAX_DEPTH: usize = 64;

/// How the text of a file is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextForm {
    Utf8,
    Utf8WithMark,
    Utf16LittleEndian,
    Utf16BigEndian,
}

impl TextForm {
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => Self::Utf8WithMark,
            [0xff, 0xfe, ..] => Self::Utf16LittleEndian,
            [0xfe, 0xff, ..] => Self::Utf16BigEndian,
            _ => Self::Utf8,
        }
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let marked = || format!("\u{feff}{text}");
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8WithMark => marked().into_bytes(),
            Self::Utf16LittleEndian => marked().encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16BigEndian => marked().encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

/// The text of a file, which can be written back in the same encoding.
pub(super) struct TextFile {
    /// The path; `-` is stdin.
    pub path: PathBuf,
    /// The text, without a byte order mark.
    pub text: String,
    form: TextForm,
}

impl TextFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, is larger than a query may be, or is not text.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |error| Error::io(path, error);
        let bytes = match is_stdin(path) {
            true => read_bounded(io::stdin().lock()),
            false => fs::File::open(path).and_then(read_bounded),
        };
        let bytes = bytes.map_err(failed)?;
        // UTF-16 has at most two bytes for each byte of UTF-8.
        if bytes.len() > 2 * MAX_TEXT {
            return Err(Error::Limit(format!("{}: larger than {} MiB", path.display(), MAX_TEXT >> 20)));
        }
        let form = TextForm::of(&bytes);
        let line = undecodable_line(&bytes);
        let text = decode_text(bytes).map_err(|reason| {
            let (file, reason) = (path.display().to_string(), format!("it cannot be read: {reason}"));
            Error::Data { file, place: line.map(|line| format!("line {line}")), reason }
        })?;
        Ok(Self { path: path.to_owned(), text, form })
    }

    /// Replaces the text of the file, which keeps its encoding; an interrupted run leaves the old one.
    pub fn write(&self, text: &str) -> Result<()> {
        destination::write_file(&self.path, |out| out.write_all(&self.encoded(text)))
    }

    /// Returns `text` in the encoding of the file.
    pub fn encoded(&self, text: &str) -> Vec<u8> {
        self.form.encode(text)
    }
}

/// The line of the first byte that UTF-8 text does not have, counted from 1; None for UTF-16.
fn undecodable_line(bytes: &[u8]) -> Option<usize> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        return None;
    }
    let nul = bytes.iter().position(|byte| *byte == 0);
    let at = nul.or(std::str::from_utf8(bytes).err().map(|error| error.valid_up_to()))?;
    Some(bytes[..at].split(|byte| *byte == b'\n').count())
}

/// True for `-`.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn read_bounded(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(2 * MAX_TEXT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the files of `paths`, each once: files as given, and the files in folders that have one of `extensions`,
/// sorted. Hidden files and links to folders are skipped.
///
/// # Errors
/// A path does not exist, or a folder has no such file.
pub(super) fn find_files(paths: &[PathBuf], extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        let found = match !is_stdin(path) && fs::metadata(path).map_err(|error| Error::io(path, error))?.is_dir() {
            true => files_in(path, extensions, 0)?,
            false => vec![path.clone()],
        };
        if found.is_empty() {
            let kinds: Vec<String> = extensions.iter().map(|extension| format!(".{extension}")).collect();
            return Err(Error::Usage(format!("{}: no file in it ends in {}", path.display(), kinds.join(", "))));
        }
        let new = found.into_iter().filter(|path| !files.contains(path)).collect::<Vec<_>>();
        files.extend(new);
    }
    Ok(files)
}

fn files_in(folder: &Path, extensions: &[&str], depth: usize) -> Result<Vec<PathBuf>> {
    if depth > MAX_DEPTH {
        return Err(Error::Limit(format!("{}: more than {MAX_DEPTH} folders inside each other", folder.display())));
    }
    let failed = |error| Error::io(folder, error);
    let mut entries: Vec<DirEntry> = fs::read_dir(folder).and_then(Iterator::collect).map_err(failed)?;
    entries.retain(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    entries.sort_by_key(DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            files.extend(files_in(&path, extensions, depth + 1)?);
        } else if has_extension(&path, extensions) && path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// True if `stem`, which is in lower case, ends in `.test`.
fn has_test_extension(stem: &str) -> bool {
    Path::new(stem).extension().is_some_and(|extension| extension == "test")
}

/// True if the name of the file ends in one of `extensions`, in any case. A file of tests of rules, such as
/// `break-glass.test.yaml`, has an extension of its own.
pub(super) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("").to_ascii_lowercase();
    let own = match name.rsplit_once('.') {
        Some((stem, _)) if has_test_extension(stem) => &name[stem.len() - "test".len()..],
        Some((_, own)) => own,
        None => "",
    };
    extensions.contains(&own)
}
