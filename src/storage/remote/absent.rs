//! Replaces remote files in a build without the feature `remote`, in which none can be opened.

use std::convert::Infallible;
use std::io::{self, Read};
use std::sync::Arc;

use super::Access;
use super::address::Url;
use crate::diagnostic::{Error, Result};
use crate::storage::listing::Listing;

/// A type that has no values, because this build cannot access servers.
#[derive(Debug)]
pub struct RemoteFile(Infallible);

impl RemoteFile {
    /// Returns the length of the file in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self.0 {}
    }

    pub(crate) fn prefetch(&self) {
        match self.0 {}
    }

    pub(crate) fn prefetched_bytes(&self, _: usize) -> usize {
        match self.0 {}
    }

    pub(crate) fn fault(&self) -> Option<io::Error> {
        match self.0 {}
    }

    pub(crate) fn read_ranges(&self, _: &[std::ops::Range<u64>]) -> io::Result<Vec<bytes::Bytes>> {
        match self.0 {}
    }

    pub(crate) fn stream(file: &Arc<Self>, _: u64, _: Option<u64>) -> Box<dyn Read + Send> {
        match file.0 {}
    }
}

/// Connections to servers, of which there are none in this build.
#[derive(Debug, Default)]
pub(crate) struct Connections {}

/// Returns the error that this build cannot access servers.
pub(crate) fn expand(url: &Url, _: &Access) -> Result<Listing> {
    let reason = "this program was built without access to servers; build it with `cargo install --path . --features \
                  remote`, or copy the files here first";
    Err(Error::Data { file: url.name(), place: None, reason: reason.to_owned() })
}
