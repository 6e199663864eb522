//! Lists the files that a URL names: one file, all files below a folder, or all files that match a pattern.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path as LocalPath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error as StoreError, GetOptions, GetRange, ObjectMeta};

use super::Access;
use super::address::{Scheme, Url};
use super::connect::RemoteStore;
use super::failure::RemoteFailure;
use super::file::RemoteFile;
use crate::diagnostic::{Error, Result};
use crate::storage::delta_folder::{DeltaFolder, PresentFiles, folder_of_log};
use crate::storage::files::DataFile;
use crate::storage::glob::GlobPattern;
use crate::storage::hidden::{EntryName, HIDDEN};
use crate::storage::listing::{DiscoveryNote, Listing};
use crate::storage::location::Location;
use crate::storage::percent;

/// Maximum number of files in a listing.
const MAX_FILES: usize = 1 << 20;

/// Returns the files that `url` names. The files of a folder or pattern are sorted by their paths.
pub(crate) fn expand(url: &Url, access: &Access) -> Result<Listing> {
    let listing = |key: &str| {
        let store = access.store(url, &root(url))?;
        StoreSearch { url, store, key: key.to_owned() }.files()
    };
    match url.scheme {
        Scheme::Web => {
            let path = url.rest.split(['?', '#']).next().unwrap_or("");
            match path.is_empty() || path.ends_with('/') || path.contains('*') {
                true => listing(
                    &percent::decoded(path).ok_or_else(|| wrong(url, "its percent-encoding is not valid UTF-8"))?,
                ),
                false => single(url, access).map(|file| vec![file].into()),
            }
        }
        _ => listing(&url.rest),
    }
}

/// Returns the address of the store for listings. On the web, it is the host with the query of `url`.
fn root(url: &Url) -> String {
    match url.rest.split_once('?') {
        Some((_, query)) if url.scheme == Scheme::Web => format!("{}/?{query}", url.root),
        _ => format!("{}/", url.root),
    }
}

fn wrong(url: &Url, reason: impl Into<String>) -> Error {
    Error::Data { file: url.name(), place: None, reason: reason.into() }
}

/// Returns the web file at exactly this URL. Its length is read from the response to a request of its first byte,
/// because a server that allows a download may refuse other requests. If the server does not return ranges, the file
/// is copied.
fn single(url: &Url, access: &Access) -> Result<DataFile> {
    let (name, location) = (url.name(), Path::default());
    let address = format!("{}/{}", url.root, url.rest.split('#').next().unwrap_or(""));
    let store = access.store(url, &address)?;
    let first = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
    let failed = |error: &StoreError| Error::io(&name, RemoteFailure::of(error, &store).into());
    match store.wait(store.objects.get_opts(&location, first)) {
        Ok(answer) => Ok(remote(RemoteFile::new(Arc::clone(&store), location, name.clone(), answer.meta.size))),
        // An empty file has no first byte.
        Err(error) if matches!(error, StoreError::NotSupported { .. }) || error.to_string().contains("code: 416") => {
            let answer = store.wait(store.objects.get_opts(&location, GetOptions::default()));
            let stream = answer.map_err(|error| failed(&error))?.into_stream();
            DataFile::spool(&mut ResponseBody { store: Arc::clone(&store), stream, current: Bytes::new() }, &name)
        }
        Err(error) => Err(failed(&error)),
    }
}

fn remote(file: Arc<RemoteFile>) -> DataFile {
    let (name, bytes) = (file.name().to_owned(), file.bytes());
    DataFile::of(Location::Remote(file), name, bytes)
}

/// The body of a response, which is read as it arrives.
struct ResponseBody {
    store: Arc<RemoteStore>,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    current: Bytes,
}

impl Read for ResponseBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.store.wait(self.stream.next()).transpose() {
                Ok(Some(bytes)) => self.current = bytes,
                Ok(None) => return Ok(0),
                Err(error) => return Err(RemoteFailure::of(&error, &self.store).into()),
            }
        }
        let count = buffer.len().min(self.current.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

/// A search for files in a store.
struct StoreSearch<'a> {
    url: &'a Url,
    store: Arc<RemoteStore>,
    /// The key, folder or pattern that is searched for.
    key: String,
}

impl StoreSearch<'_> {
    fn files(&self) -> Result<Listing> {
        if let Some(pattern) = GlobPattern::parse(&self.key, |_| false)? {
            let matches = |key: &str| pattern.matches(LocalPath::new(key));
            return self.below(&pattern.root().to_string_lossy(), &matches, "no file matches the pattern");
        }
        if !self.key.is_empty() && !self.key.ends_with('/') {
            let location = self.location(&self.key)?;
            let options = GetOptions { head: true, ..GetOptions::default() };
            match self.store.wait(self.store.objects.get_opts(&location, options)) {
                Ok(answer) => return Ok(vec![self.file(&answer.meta)].into()),
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        self.below(&self.key, &|_| true, "there is no file of this name, and no folder of this name with files")
    }

    /// Returns the selected files below a folder. Files and folders whose names begin with a dot are skipped with a
    /// note, as on disks.
    fn below(&self, folder: &str, wanted: &dyn Fn(&str) -> bool, nothing: &str) -> Result<Listing> {
        let folder = folder.trim_end_matches('/');
        let prefix = if folder.is_empty() { None } else { Some(self.location(folder)?) };
        let mut found = self.list(prefix.as_ref())?;
        // The order in which a search of a disk finds them: by names, folder by folder.
        found.sort_by(|one, other| one.location.as_ref().split('/').cmp(other.location.as_ref().split('/')));
        let behind = |meta: &ObjectMeta| meta.location.as_ref().get(folder.len()..).unwrap_or("").to_owned();
        let mut hidden = Vec::new();
        found.retain(|meta| match EntryName::of(&behind(meta)) {
            EntryName::Plain => true,
            EntryName::Hidden(path) => {
                let key = meta.location.as_ref();
                if wanted(key) && folder_of_log(key).is_none() {
                    hidden.push(self.url.with(&format!("{folder}{path}")));
                }
                false
            }
            EntryName::Ignored => false,
        });
        // A folder is named once, however many files it has.
        hidden.dedup();
        let files =
            found.iter().filter(|meta| wanted(meta.location.as_ref())).map(|meta| self.file(meta)).collect::<Vec<_>>();
        let notes = DiscoveryNote::unread(HIDDEN, hidden, "name them to read them").into_iter().collect();
        let delta_folders = self.delta_folders(&found, &files);
        let listing = Listing { files, notes, delta_folders, archives: Vec::new() };
        listing.unless_nothing(|reason| wrong(self.url, reason), nothing)
    }

    /// Returns the Delta tables to which files among `found` belong. A file belongs to the innermost table around it.
    fn delta_folders(&self, found: &[ObjectMeta], files: &[DataFile]) -> Vec<DeltaFolder> {
        let mut logs: BTreeMap<String, Vec<DataFile>> = BTreeMap::new();
        for meta in found {
            if let Some(table) = folder_of_log(meta.location.as_ref()) {
                let name = format!("{}/", self.url.with(table.trim_end_matches('/')));
                logs.entry(name).or_default().push(self.file(meta));
            }
        }
        let tables: Vec<String> = logs.keys().cloned().collect();
        let innermost =
            |file: &str| tables.iter().filter(|table| file.starts_with(*table)).max_by_key(|table| table.len());
        let folder = |(name, log): (String, Vec<DataFile>)| {
            let below = |file: &str| file.strip_prefix(&name).map(str::to_owned);
            let own = files.iter().filter(|file| innermost(&file.name) == Some(&name));
            DeltaFolder {
                folder: DataFile::of(Location::Disk(name.clone().into()), name.clone(), 0),
                log,
                members: own.filter_map(|file| Some((file.name.clone(), below(&file.name)?))).collect(),
                present: PresentFiles::Listed(
                    found.iter().filter_map(|meta| below(&self.url.with(meta.location.as_ref()))).collect(),
                ),
            }
        };
        logs.into_iter().map(folder).collect()
    }

    fn list(&self, prefix: Option<&Path>) -> Result<Vec<ObjectMeta>> {
        let listed = self.store.objects.list(prefix).take(MAX_FILES + 1).try_collect::<Vec<_>>();
        let found = self.store.wait(listed).map_err(|error| match self.url.scheme {
            Scheme::Web => wrong(
                self.url,
                format!(
                    "the server does not list its files ({}): name them one by one",
                    RemoteFailure::of(&error, &self.store)
                ),
            ),
            _ => self.failed(&error),
        })?;
        match found.len() > MAX_FILES {
            true => Err(Error::Limit(format!("{}: more than {MAX_FILES} files: name a folder below", self.url.name()))),
            false => Ok(found),
        }
    }

    fn location(&self, key: &str) -> Result<Path> {
        Path::parse(key).map_err(|error| wrong(self.url, format!("not a valid name of a file or folder: {error}")))
    }

    fn file(&self, meta: &ObjectMeta) -> DataFile {
        let name = self.url.with(meta.location.as_ref());
        remote(RemoteFile::new(Arc::clone(&self.store), meta.location.clone(), name, meta.size))
    }

    fn failed(&self, error: &StoreError) -> Error {
        Error::io(self.url.name(), RemoteFailure::of(error, &self.store).into())
    }
}
