//! Files on servers, which are read by byte ranges.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange};
use tokio::task::JoinHandle;

use super::connect::RemoteStore;
use super::failure::RemoteFailure;
use super::stream::{MAX_HELD_BYTES, RemoteStream};

/// Length in bytes of the first block of a stream. The reader of text examines this many bytes first.
const FIRST_BYTES: u64 = 1 << 20;

/// Length in bytes of the first block of a file that is named like Parquet. It suffices to identify the file, which
/// is then not read as a stream.
const HEAD_BYTES: u64 = 64 << 10;

/// If fewer bytes than this are between two requested ranges, both are fetched in one request.
const GAP_BYTES: u64 = 64 << 10;

/// Maximum number of bytes of a request. A longer range is fetched in several requests at once.
const REQUEST_BYTES: u64 = 8 << 20;

/// Maximum number of requests of one call that run at once.
const REQUESTS: usize = 8;

/// A file on a server.
pub struct RemoteFile {
    store: Arc<RemoteStore>,
    location: Path,
    name: String,
    bytes: u64,
    state: Mutex<ReadState>,
}

/// What was learnt about the file while it was read.
#[derive(Default)]
struct ReadState {
    /// The version of the file in the first response. All other responses must have the same version.
    version: FileVersion,
    /// The first failure; None if there was none.
    fault: Option<RemoteFailure>,
    /// The first block, if it is being fetched in advance.
    first: Option<PendingBytes>,
}

/// The version of a file, by which changes during reading are detected.
#[derive(Default)]
enum FileVersion {
    /// No response was received yet.
    #[default]
    Unknown,
    /// The version that the server states; None if it states none.
    Known(Option<String>),
}

/// Bytes that were requested: their number, and the task that fetches them.
pub(super) type PendingBytes = (u64, JoinHandle<io::Result<Bytes>>);

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteFile").field("name", &self.name).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl RemoteFile {
    /// Creates the file at `location`, which has `bytes` bytes. Messages call it `name`.
    pub(super) fn new(store: Arc<RemoteStore>, location: Path, name: String, bytes: u64) -> Arc<Self> {
        Arc::new(Self { store, location, name, bytes, state: Mutex::default() })
    }

    /// Returns the length of the file in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the name of the file in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the first failure to read the file; None if there was none.
    pub(crate) fn fault(&self) -> Option<io::Error> {
        self.state().fault.clone().map(io::Error::from)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ReadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the length of the first block in bytes.
    pub(super) fn first_bytes(&self) -> u64 {
        let most = if self.name.ends_with(".parquet") { HEAD_BYTES } else { FIRST_BYTES };
        most.min(self.bytes)
    }

    /// Requests the first block in advance, because it will be read soon.
    pub(crate) fn prefetch(self: &Arc<Self>) {
        let mut state = self.state();
        if state.first.is_none() && state.fault.is_none() && self.bytes > 0 {
            state.first = Some(self.ask(0..self.first_bytes()));
        }
    }

    /// Returns the number of bytes that are at most in memory because they were fetched in advance, of this file and
    /// of the first blocks of `files` other ones.
    pub(crate) fn prefetched_bytes(&self, files: usize) -> usize {
        let others = files.saturating_mul(usize::try_from(FIRST_BYTES).unwrap_or(usize::MAX));
        others.saturating_add(usize::try_from(self.bytes.min(MAX_HELD_BYTES)).unwrap_or(usize::MAX))
    }

    /// Returns the first block, if it was requested in advance; it is returned only once.
    pub(super) fn take_prefetched(&self) -> Option<PendingBytes> {
        self.state().first.take()
    }

    /// Requests a range. It is fetched in the background.
    pub(super) fn ask(self: &Arc<Self>, range: Range<u64>) -> PendingBytes {
        (range.end - range.start, self.store.start(Arc::clone(self).fetch(range)))
    }

    /// Waits for bytes that were requested, and returns them.
    pub(super) fn wait(&self, coming: PendingBytes) -> io::Result<Bytes> {
        self.store.wait(coming.1).map_err(io::Error::other)?
    }

    /// Returns a stream of the bytes from `start` on. The reader will probably stop at `end`.
    pub(crate) fn stream(file: &Arc<Self>, start: u64, end: Option<u64>) -> RemoteStream {
        RemoteStream::new(Arc::clone(file), start, end)
    }

    /// Returns the bytes of each of `ranges`, which must lie inside the file and be sorted by their starts.
    pub(crate) fn read_ranges(self: &Arc<Self>, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let merged = merged(ranges);
        let requests: Vec<Range<u64>> = merged.iter().flat_map(pieces).collect();
        let fetched = self.store.wait(async {
            let requests = requests.iter().map(|range| Arc::clone(self).fetch(range.clone()));
            futures_util::stream::iter(requests).buffered(REQUESTS).try_collect::<Vec<Bytes>>().await
        })?;
        let mut pieces = requests.iter().zip(fetched).peekable();
        let mut whole = Vec::with_capacity(merged.len());
        for range in &merged {
            let mut bytes = Vec::new();
            while let Some((_, piece)) = pieces.next_if(|(request, _)| request.start < range.end) {
                bytes.push(piece);
            }
            whole.push((range.start, joined(bytes)));
        }
        ranges.iter().map(|range| slice(&whole, range)).collect()
    }

    /// Fetches the bytes of one range. The first failure is kept for [`Self::fault`].
    pub(super) async fn fetch(self: Arc<Self>, range: Range<u64>) -> io::Result<Bytes> {
        let fetched = self.try_fetch(range).await;
        fetched.map_err(|failure| {
            self.state().fault.get_or_insert_with(|| failure.clone());
            failure.into()
        })
    }

    async fn try_fetch(&self, range: Range<u64>) -> Result<Bytes, RemoteFailure> {
        if range.start >= range.end {
            return Ok(Bytes::new());
        }
        let failed = |error: object_store::Error| RemoteFailure::of(&error, &self.store);
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let answer = self.store.objects.get_opts(&self.location, options).await.map_err(failed)?;
        self.check_version(answer.meta.e_tag.as_ref(), answer.meta.size)?;
        let bytes = answer.bytes().await.map_err(failed)?;
        let wanted = range.end - range.start;
        match bytes.len() as u64 == wanted {
            true => Ok(bytes),
            false => Err(RemoteFailure::new(format!("the server sent {} bytes instead of {wanted}", bytes.len()))),
        }
    }

    /// Returns an error if bytes are of another version of the file than those before. A file that has grown since it
    /// was listed is read up to its listed length.
    fn check_version(&self, version: Option<&String>, bytes: u64) -> Result<(), RemoteFailure> {
        let mut state = self.state();
        let same = match &state.version {
            FileVersion::Known(first) => first.as_ref() == version,
            FileVersion::Unknown => true,
        };
        state.version = FileVersion::Known(version.cloned());
        if !same || bytes < self.bytes {
            return Err(RemoteFailure::new("the file was changed while it was read: run the query again"));
        }
        Ok(())
    }
}

/// Returns ranges that cover `ranges` and the small gaps between them. `ranges` are sorted by their starts.
fn merged(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP_BYTES) => last.end = last.end.max(range.end),
            _ => merged.push(range.clone()),
        }
    }
    merged
}

/// Returns the parts in which a range is fetched.
fn pieces(range: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let end = range.end;
    let step = usize::try_from(REQUEST_BYTES).unwrap_or(usize::MAX);
    (range.start..end).step_by(step).map(move |start| start..end.min(start.saturating_add(REQUEST_BYTES)))
}

fn joined(mut pieces: Vec<Bytes>) -> Bytes {
    if pieces.len() <= 1 {
        return pieces.pop().unwrap_or_default();
    }
    let mut bytes = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
    bytes.freeze()
}

/// Returns the bytes of `range`, which one of the longer ranges in `whole` contains. These are sorted by their
/// starts.
fn slice(whole: &[(u64, Bytes)], range: &Range<u64>) -> io::Result<Bytes> {
    let found = whole[..whole.partition_point(|(start, _)| *start <= range.start)].last();
    let found = found.and_then(|(start, bytes)| {
        let from = usize::try_from(range.start - start).ok()?;
        let to = usize::try_from(range.end.checked_sub(*start)?).ok()?;
        (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
    });
    found.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{GAP_BYTES, REQUEST_BYTES, joined, merged, pieces, slice};

    #[test]
    fn near_ranges_are_one_request_and_long_ones_several() {
        let far = 10 + GAP_BYTES + 1;
        assert_eq!(merged(&[0..4, 2..3, 5..10, far..far + 1]), [0..10, far..far + 1]);
        let long = REQUEST_BYTES * 2 + 1;
        let parts: Vec<_> = pieces(&(0..long)).collect();
        assert_eq!(parts, [0..REQUEST_BYTES, REQUEST_BYTES..REQUEST_BYTES * 2, REQUEST_BYTES * 2..long]);
    }

    #[test]
    fn ranges_are_cut_out_of_what_was_fetched() {
        let whole = [
            (10, joined(vec![Bytes::from_static(b"abc"), Bytes::from_static(b"de")])),
            (100, Bytes::from_static(b"x")),
        ];
        assert_eq!(slice(&whole, &(11..14)).expect("inside"), &b"bcd"[..]);
        assert_eq!(slice(&whole, &(100..101)).expect("inside"), &b"x"[..]);
        assert!(slice(&whole, &(14..16)).is_err() && slice(&whole, &(5..6)).is_err());
    }
}
