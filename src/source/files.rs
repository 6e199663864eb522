//! What the user named -> the files to read.
//!
//! A name is a file, a folder (searched to the bottom), or a glob. The order of the files is the order of the names,
//! and inside a folder or glob that of the paths: it decides the order of the rows.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::Entry;
use super::copy;
use super::counters::{Counted, ScanCounters};
use super::dates::DateOrder;
use super::delta::table::DeltaTable;
use super::folders::{self, Everything, Links, Selection};
use super::glob::Pattern;
use super::journal;
use super::once::Identity;
use super::place::Place;
use super::remark::{Listing, Remark};
use super::remote::address::Address;
use super::remote::{self, Access};
use crate::diagnostic::{Error, Result};

/// The folder that makes its parent a Delta table.
pub(crate) const DELTA_LOG: &str = "_delta_log";

/// Bytes at the start of a file that tell its format.
const MAGIC_BYTES: usize = 8;

/// Where the header of the first file in a tar archive says what it is.
const TAR_MAGIC_AT: usize = 257;

/// A file that may hold rows.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Where it is; for an entry of an archive, where the archive is.
    pub place: Place,
    /// How messages call it.
    pub name: String,
    /// Its length in bytes, as it lies on the disk.
    pub bytes: u64,
    /// Why it is not to be read, where the place where it is says so.
    refused: Option<&'static str>,
    /// Where it lies in an archive, if it is an entry of one.
    entry: Option<Arc<Entry>>,
    /// The order of its dates in numbers, if the user says it.
    date_order: Option<DateOrder>,
    /// What tells that another name is one of the same file.
    identity: Option<Identity>,
    /// The folder in which it was found; None for a file that was named itself.
    found_in: Option<Arc<Path>>,
}

/// How the bytes of a text file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one member or more.
    Gzip,
    /// Zstandard, one frame or more.
    Zstd,
    /// bzip2, one stream or more.
    Bzip2,
}

impl Compression {
    /// What messages call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// What a file is, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text, most likely JSON.
    Text(Compression),
    /// Parquet.
    Parquet,
    /// An Arrow IPC file or stream.
    Arrow,
    /// An Avro object container.
    Avro,
    /// A zip archive.
    Zip,
    /// Something that is not read, and why.
    Unsupported(&'static str),
}

impl Format {
    /// The format that the first bytes of a file tell.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Text(Compression::Gzip),
            // A skippable frame may come first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Text(Compression::Zstd),
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] | [0xff, 0xff, 0xff, 0xff, ..] => Self::Arrow,
            [b'F', b'E', b'A', b'1', ..] => {
                Self::Unsupported("Feather version 1 is not supported: write it again as version 2, which is Arrow IPC")
            }
            [b'P', b'K', 3 | 5 | 7, ..] => Self::Zip,
            [b'O', b'b', b'j', 1, ..] => Self::Avro,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Text(Compression::Bzip2),
            [0xfd, b'7', b'z', b'X', ..] => Self::Unsupported("xz is not supported"),
            [b'7', b'z', 0xbc, 0xaf, ..] => Self::Unsupported("7z is not supported"),
            [b'R', b'a', b'r', b'!', ..] => Self::Unsupported("rar is not supported"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Unsupported("lz4 is not supported"),
            [0x1f, 0x9d, ..] => Self::Unsupported("files of `compress` (.Z) are not supported"),
            // Its texts would pass for damaged lines.
            _ if head.get(TAR_MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar")) => {
                Self::Unsupported("a tar archive: unpack it first")
            }
            _ => Self::Text(Compression::None),
        }
    }
}

impl DataFile {
    /// The file at `path`, which must exist.
    pub fn new(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|source| Error::io(path, source))?;
        Ok(Self::at(path, &metadata))
    }

    /// The file at `path`, of which the system says this.
    pub(super) fn at(path: &Path, metadata: &Metadata) -> Self {
        let file = Self::of(Place::Disk(path.to_owned()), display(path), metadata.len());
        Self { identity: Identity::of(path, metadata), ..file }
    }

    /// A file whose place is known to hold it.
    pub(crate) fn of(place: Place, name: String, bytes: u64) -> Self {
        let (entry, identity, found_in) = (None, None, None);
        Self { place, name, bytes, refused: None, entry, date_order: None, identity, found_in }
    }

    /// An entry of this archive.
    pub(crate) fn entry(&self, name: String, entry: Entry) -> Self {
        Self { name, bytes: entry.packed(), entry: Some(Arc::new(entry)), ..self.clone() }
    }

    /// An entry of this archive that is not to be read.
    pub(crate) fn refused_entry(&self, name: String, reason: &'static str) -> Self {
        Self { name, bytes: 0, refused: Some(reason), ..self.clone() }
    }

    /// The same file, which is not to be read.
    pub(crate) fn refuse(&self, reason: &'static str) -> Self {
        Self { refused: Some(reason), ..self.clone() }
    }

    /// The same file, whose dates in numbers have this order.
    pub(crate) fn with_date_order(self, order: Option<DateOrder>) -> Self {
        Self { date_order: order, ..self }
    }

    /// The order of its dates in numbers, if the user says it.
    pub(crate) fn date_order(&self) -> Option<DateOrder> {
        self.date_order
    }

    /// The path of the file on this machine that it is, or is an entry of.
    pub(crate) fn local_path(&self) -> Option<&Path> {
        self.place.path()
    }

    /// True if it is a copy of a stream.
    pub(crate) fn is_copy(&self) -> bool {
        matches!(self.place, Place::Copy(_))
    }

    /// What it has in common with other names of the same file, where that can be told.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// True if the file on the disk is no longer the one that was listed: another one, longer, shorter or written again.
    pub(crate) fn has_changed(&self) -> bool {
        let (Some(listed), Some(path)) = (&self.identity, self.place.path()) else { return false };
        fs::metadata(path).ok().and_then(|metadata| Identity::of(path, &metadata)).as_ref() != Some(listed)
    }

    /// The folder in which it was found; None for a file that was named itself.
    pub(crate) fn found_in(&self) -> Option<&Path> {
        self.found_in.as_deref()
    }

    /// True where its bytes are those of its place.
    pub(crate) fn is_plain(&self) -> bool {
        self.entry.is_none()
    }

    /// Its bytes from the first on.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>> {
        self.open_at((0, None), None)
    }

    /// Its bytes from a byte on, where the reader most likely stops at another; an entry of an archive always whole.
    /// Those that are read are counted as they lie on the disk.
    pub(crate) fn open_at(
        &self,
        (start, end): (u64, Option<u64>),
        counters: Option<&Arc<ScanCounters>>,
    ) -> Result<Box<dyn Read + Send>> {
        let (start, end) = self.entry.as_ref().map_or((start, end), |entry| entry.range());
        let input = self.place.open(start, end).map_err(|source| self.failed(source))?;
        let input = match counters {
            Some(counters) => Box::new(Counted { input, counters: Arc::clone(counters) }),
            None => input,
        };
        Ok(match &self.entry {
            Some(entry) => entry.unpacked(input),
            None => input,
        })
    }

    /// The bytes of its place, whichever part of them it is.
    pub(crate) fn open_place(&self) -> Result<Box<dyn Read + Send>> {
        self.place.open(0, None).map_err(|source| self.failed(source))
    }

    /// The error that it could not be read.
    pub(crate) fn failed(&self, source: io::Error) -> Error {
        Error::io(&self.name, source)
    }

    /// An error where its server failed to give bytes: what readers found instead of them is no damage of the file.
    pub(crate) fn check_place(&self) -> Result<()> {
        self.place.fault().map_or(Ok(()), |fault| Err(self.failed(fault)))
    }

    /// Copies a stream, which can be read only once, to a temporary file; `name` is how messages call it.
    pub(crate) fn spool(stream: &mut dyn Read, name: &str) -> Result<Self> {
        let copy = copy::copy(stream).map_err(|source| Error::io(name, source))?;
        let bytes = copy.length();
        Ok(Self::of(Place::Copy(copy), name.to_owned(), bytes))
    }

    /// Copies stdin or a pipe, of which nobody knows how long it is.
    ///
    /// # Errors
    /// The stream cannot be read, its copy cannot be written, or it is longer than the [`copy::CopySettings`] allow.
    pub fn stream(stream: &mut dyn Read, name: &str) -> Result<Self> {
        let copy = copy::copy_bounded(stream, name)?;
        let bytes = copy.length();
        Ok(Self::of(Place::Copy(copy), name.to_owned(), bytes))
    }

    /// Reads the first bytes and tells the format.
    pub fn format(&self) -> Result<Format> {
        let mut head = Vec::with_capacity(MAGIC_BYTES);
        match self.open_at((0, Some(MAGIC_BYTES as u64)), None)?.take(MAGIC_BYTES as u64).read_to_end(&mut head) {
            // A damaged entry shows its damage when it is read.
            Err(error) if error.raw_os_error().is_some() => return Err(self.failed(error)),
            Ok(_) | Err(_) => self.check_place()?,
        }
        Ok(Format::of(&head))
    }

    /// True for a Parquet file, by its name or its first bytes.
    pub(crate) fn is_parquet(&self) -> bool {
        self.ending().eq_ignore_ascii_case("parquet") || matches!(self.format(), Ok(Format::Parquet))
    }

    /// The ending of its name behind the last dot, queries of URLs aside; "" where there is none.
    pub(crate) fn ending(&self) -> &str {
        let query = self.name.match_indices('?').find(|(at, _)| self.name[at + 1..].starts_with('['));
        let path = query.map_or(self.name.as_str(), |(at, _)| &self.name[..at]);
        let last = path.rsplit(['/', '\\']).next().unwrap_or("");
        last.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    /// The last part of its name up to the first dot.
    #[must_use]
    pub fn stem(&self) -> &str {
        let last = self.name.rsplit(['/', '\\']).next().unwrap_or("");
        last.split('.').next().unwrap_or("")
    }

    /// True where an ending of its name says that it is CSV: lists of one or two columns do not look like it.
    #[must_use]
    pub fn is_called_csv(&self) -> bool {
        let last = self.name.rsplit(['/', '\\']).next().unwrap_or("");
        last.split('.').skip(1).any(|ending| ending.eq_ignore_ascii_case("csv") || ending.eq_ignore_ascii_case("tsv"))
    }

    /// Why it is not to be read, where that is known without looking into it.
    #[must_use]
    pub fn refused(&self) -> Option<&'static str> {
        self.refused
    }
}

/// The path for messages; bytes that are no text are replaced.
fn display(path: &Path) -> String {
    path.display().to_string()
}

/// The files that `pattern` names: a path or a URL of a file, a folder, or a glob; and what there is to say of them.
///
/// # Errors
/// A path that does not exist or cannot be read, a glob that is none or that nothing matches, a folder without files,
/// a server that does not answer or refuses.
pub fn expand(pattern: &OsStr, access: &Access) -> Result<Listing> {
    match pattern.to_str().and_then(Address::parse).transpose()? {
        None => expand_local(pattern, access.links()),
        Some(Address::Local(path)) => expand_local(OsStr::new(&path), access.links()),
        Some(Address::Remote(url)) => remote::expand(&url, access),
    }
}

/// The path on this machine that `pattern` names: of a file or a folder, for a glob of the folder in front of its first
/// wildcard. None for a server.
pub(crate) fn local_root(pattern: &OsStr) -> Option<PathBuf> {
    let path = match pattern.to_str().and_then(Address::parse) {
        None => PathBuf::from(pattern),
        Some(Ok(Address::Local(path))) => PathBuf::from(path),
        Some(Ok(Address::Remote(_)) | Err(_)) => return None,
    };
    if path.exists() {
        return Some(path);
    }
    match path.to_str().map(|text| Pattern::parse(text, Path::is_dir)) {
        Some(Ok(Some(glob))) if glob.root().as_os_str().is_empty() => Some(PathBuf::from(".")),
        Some(Ok(Some(glob))) => Some(glob.root().to_owned()),
        _ => Some(path),
    }
}

fn expand_local(pattern: &OsStr, links: Links) -> Result<Listing> {
    let path = Path::new(pattern);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let found = walk(path, &Everything, links)?;
            found.unless_nothing(|reason| nothing_in(path, reason), "the folder holds no file")
        }
        Ok(metadata) if metadata.is_file() => {
            let mut found = Listing::from(vec![DataFile::new(path)?]);
            journal::leave_out_uncounted(&mut found)?;
            found.unless_nothing(|reason| nothing_in(path, reason), "the file does not count yet")
        }
        // A pipe is read only once, and files are opened several times.
        Ok(_) => {
            let mut stream = fs::File::open(path).map_err(|error| Error::io(path, error))?;
            Ok(vec![DataFile::stream(&mut stream, &display(path))?].into())
        }
        Err(error) => {
            let text = pattern.to_str().unwrap_or("");
            match Pattern::parse(text, Path::is_dir)? {
                Some(pattern) => expand_glob(text, &pattern, links),
                None => Err(Error::io(path, error)),
            }
        }
    }
}

fn expand_glob(text: &str, pattern: &Pattern, links: Links) -> Result<Listing> {
    let found = match pattern.root().as_os_str().is_empty() {
        true => walk_here(pattern, links)?,
        false => walk(pattern.root(), pattern, links)?,
    };
    found.unless_nothing(|reason| nothing_in(Path::new(text), reason), "nothing matches the pattern")
}

fn nothing_in(path: &Path, reason: &str) -> Error {
    Error::Data { file: display(path), place: None, reason: reason.to_owned() }
}

/// As [`walk`] for the current folder, with paths as the user would write them.
fn walk_here(pattern: &Pattern, links: Links) -> Result<Listing> {
    let mut found = walk(Path::new("."), &Here(pattern), links)?;
    for file in &mut found.files {
        let path = without_dot(file.place.path().unwrap_or(Path::new(""))).to_owned();
        (file.name, file.place) = (display(&path), Place::Disk(path));
    }
    Ok(found)
}

/// A pattern that names paths in the current folder.
struct Here<'a>(&'a Pattern);

impl Selection for Here<'_> {
    fn wants(&self, file: &Path) -> bool {
        self.0.wants(without_dot(file))
    }

    fn may_hold(&self, folder: &Path) -> bool {
        self.0.may_hold(without_dot(folder))
    }
}

/// A path without the name of the current folder in front.
fn without_dot(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

/// Every file below `root` that is wanted, in order of the paths; of Delta tables those that count.
fn walk(root: &Path, selection: &dyn Selection, links: Links) -> Result<Listing> {
    let folders::Found { mut files, delta_logs, passed, .. } = folders::search(root, selection, links)?;
    let found_in: Arc<Path> = root.into();
    files.iter_mut().for_each(|file| file.found_in = Some(Arc::clone(&found_in)));
    let unread = passed.into_iter().map(|(reason, paths)| {
        let names = paths.iter().map(|path| display(without_dot(path))).collect();
        Remark::Unread { reason: reason.describe(), names, advice: reason.advice() }
    });
    let mut found = Listing { remarks: unread.collect(), files };
    let tables: BTreeSet<&Path> = delta_logs.iter().filter_map(|log| log.parent()).collect();
    // The next one above a file is the one that it is of.
    let is_of =
        |path: &Path, table: Option<&Path>| path.ancestors().skip(1).find(|above| tables.contains(above)) == table;
    for &folder in &tables {
        let inside = |path: &Path| path.strip_prefix(folder).ok().map(Path::to_owned);
        choose_delta(&mut found, folder, &|path| inside(path).filter(|_| is_of(path, Some(folder))), root)?;
    }
    if let Some((folder, real)) = table_around(root) {
        let inside = |path: &Path| {
            let path = real.join(path.strip_prefix(root).ok().filter(|_| is_of(path, None))?);
            path.strip_prefix(&folder).ok().map(Path::to_owned)
        };
        choose_delta(&mut found, &folder, &inside, &real)?;
    }
    journal::leave_out_uncounted(&mut found)?;
    Ok(found)
}

/// The folder of the Delta table that the folder `root` is a part of, and where `root` really is.
fn table_around(root: &Path) -> Option<(PathBuf, PathBuf)> {
    let real = fs::canonicalize(root).ok()?;
    // Who names the log wants to see it.
    if real.iter().any(|name| name == DELTA_LOG) {
        return None;
    }
    let folder = real.ancestors().skip(1).find(|folder| folder.join(DELTA_LOG).is_dir())?.to_owned();
    Some((folder, real))
}

/// Keeps what counts of the Delta table in a folder, of which what is below `root` was asked for; `inside` tells the path
/// in it that a file has, if it is in it.
fn choose_delta(
    found: &mut Listing,
    folder: &Path,
    inside: &dyn Fn(&Path) -> Option<PathBuf>,
    root: &Path,
) -> Result<()> {
    let relative = |file: &DataFile| {
        let path = inside(file.place.path()?)?;
        Some(path.to_str()?.replace(std::path::MAIN_SEPARATOR, "/"))
    };
    let exists = |path: &str| {
        let path = folder.join(path);
        path.exists() || !path.starts_with(root)
    };
    let table = DeltaTable {
        folder: DataFile { bytes: 0, ..DataFile::new(folder)? },
        log: files_in(&folder.join(DELTA_LOG))?,
        relative: &relative,
        exists: &exists,
    };
    table.choose(found)
}

/// The files in a folder itself.
fn files_in(folder: &Path) -> Result<Vec<DataFile>> {
    let failed = |source: io::Error| Error::io(folder, source);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(DataFile::new(&path)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::io::Read;

    use super::{Access, Compression, DataFile, Format, Links, expand, expand_local};
    use crate::diagnostic::Error;

    fn names(pattern: impl AsRef<OsStr>, root: &std::path::Path) -> Vec<String> {
        let files = expand(pattern.as_ref(), &Access::default()).expect("files").files;
        let relative = |file: &DataFile| {
            file.place.path().expect("a path").strip_prefix(root).expect("below the root").display().to_string()
        };
        files.iter().map(relative).collect()
    }

    #[test]
    fn folders_and_globs_are_searched_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for path in ["b/m=03/m=00/x.json", "a/y.json", "a/.hidden", "b/z.gz"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, "{}").expect("a file");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("a/loop")).expect("a link");
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", root.join("a/broken")).expect("a link");
        assert_eq!(names(root, root), ["a/y.json", "b/m=03/m=00/x.json", "b/z.gz"]);
        assert_eq!(names(root.join("**/*.json"), root), ["a/y.json", "b/m=03/m=00/x.json"]);
        assert_eq!(names(root.join("b/m=*"), root), ["b/m=03/m=00/x.json"]);
        assert_eq!(names(root.join("{a,b}/*.{json,gz}"), root), ["a/y.json", "b/z.gz"]);
        assert!(matches!(expand_local(root.join("c").as_os_str(), Links::Inside), Err(Error::Io { .. })));
        assert!(matches!(expand_local(root.join("*.csv").as_os_str(), Links::Inside), Err(Error::Data { .. })));
        fs::create_dir(root.join("empty")).expect("a folder");
        assert!(matches!(expand_local(root.join("empty").as_os_str(), Links::Inside), Err(Error::Data { .. })));
    }

    #[test]
    fn formats_are_told_by_the_first_bytes() {
        assert_eq!(Format::of(b"\x1f\x8b\x08"), Format::Text(Compression::Gzip));
        assert_eq!(Format::of(b"\x28\xb5\x2f\xfd"), Format::Text(Compression::Zstd));
        assert_eq!(Format::of(b"PAR1"), Format::Parquet);
        assert_eq!(Format::of(b"{"), Format::Text(Compression::None));
        assert_eq!(Format::of(b""), Format::Text(Compression::None));
        assert_eq!(Format::of(b"PK\x03\x04"), Format::Zip);
        assert_eq!(Format::of(b"BZh9"), Format::Text(Compression::Bzip2));
    }

    #[test]
    fn a_stream_is_copied() {
        let file = DataFile::stream(&mut &b"{\"a\":1}"[..], "stdin").expect("a copy");
        assert_eq!((file.bytes, file.name.as_str()), (7, "stdin"));
        let mut copy = String::new();
        file.open().expect("the copy").read_to_string(&mut copy).expect("text");
        assert_eq!(copy, "{\"a\":1}");
    }
}
