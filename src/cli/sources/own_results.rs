//! Results that this program wrote as text, found by the manifest beside them: they are no evidence.
//!
//! Text has no place for a marker, as Parquet and Arrow have, so only the length and the SHA-256 in a manifest identify
//! a result, under any name.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value as Json;

use crate::cli::digest;
use crate::diagnostic::{Error, Result};
use crate::storage::files::DataFile;
use crate::storage::listing::{DiscoveryNote, Listing};
use crate::storage::parallel::parallel_map;

/// Maximum number of JSON files of a listing that are examined.
const MAX_EXAMINED: usize = 4_096;

/// Maximum bytes of a manifest.
const MAX_BYTES: u64 = 16 << 20;

/// How a manifest begins, without whitespace.
const MANIFEST_START: &[u8] = b"{\"program\":\"coldcase\"";

/// Bytes that are read to recognise a manifest.
const HEAD_BYTES: usize = 64;

/// True for a result that is recognised by a marker in the file.
pub(in crate::cli) fn is_marked(extension: &str) -> bool {
    ["parquet", "arrow", "arrows"].iter().any(|marked| extension.eq_ignore_ascii_case(marked))
}

/// Removes results from the files of folders, and adds a note for each.
pub(super) fn without_results(listing: Listing) -> Listing {
    let results = results(&listing.files);
    if results.is_empty() {
        return listing;
    }
    let Listing { files, mut notes, delta_folders, archives } = listing;
    let manifest_of = |file: &DataFile| {
        let manifests = results.get(&file.bytes).filter(|_| is_in_folder(file) && !is_marked(file.ending()))?;
        let hash = hash(file).ok()?;
        manifests.iter().find(|(sha256, _)| *sha256 == hash).map(|(_, manifest)| manifest.clone())
    };
    let is_kept = |file: &DataFile| match manifest_of(file) {
        Some(manifest) => {
            notes.push(DiscoveryNote::OwnResult { file: file.name.clone(), manifest });
            false
        }
        None => true,
    };
    let files = files.into_iter().filter(is_kept).collect();
    Listing { files, notes, delta_folders, archives }
}

/// The hashes of results and the names of their manifests, by the number of bytes of the result.
type ResultsBySize = BTreeMap<u64, Vec<(String, String)>>;

/// Reads the manifests among the files.
fn results(files: &[DataFile]) -> ResultsBySize {
    let mut results = ResultsBySize::new();
    let is_json = |file: &&DataFile| file.ending().eq_ignore_ascii_case("json") && file.bytes <= MAX_BYTES;
    let examined = files.iter().filter(|file| is_in_folder(file)).filter(is_json).take(MAX_EXAMINED);
    let examined: Vec<&DataFile> = examined.collect();
    for (file, result) in examined.iter().zip(parallel_map(&examined, |file| result_of(file))) {
        // Problems of a file are reported when it is read.
        let Ok(Some((bytes, sha256))) = result else { continue };
        results.entry(bytes).or_default().push((sha256, file.name.clone()));
    }
    results
}

fn is_in_folder(file: &DataFile) -> bool {
    file.found_in().is_some() && file.local_path().is_some() && file.is_plain()
}

/// Returns the length and hash of the result that a manifest describes; None for other files.
fn result_of(file: &DataFile) -> Result<Option<(u64, String)>> {
    let failed = |error| Error::io(&file.name, error);
    let mut head = file.head(HEAD_BYTES)?;
    head.retain(|byte| !byte.is_ascii_whitespace());
    if !head.starts_with(MANIFEST_START) {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.open()?.take(MAX_BYTES).read_to_end(&mut text).map_err(failed)?;
    let Ok(manifest) = serde_json::from_slice::<Json>(&text) else { return Ok(None) };
    let output = &manifest["output"];
    Ok(output["bytes"].as_u64().zip(output["sha256"].as_str().map(str::to_owned)))
}

fn hash(file: &DataFile) -> Result<String> {
    digest::sha256(&mut *file.open_stored()?, |error| Error::io(&file.name, error)).map(|(_, sha256)| sha256)
}
