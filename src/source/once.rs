//! Files that are named several times: by links, or by a folder and a file in it. Each is read once.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

use super::files::DataFile;

/// Files of which it is said one by one that they were named before.
const MAX_NAMED: usize = 10;

/// The files without those that stand in front of them already under this or another name, and what there is to say.
pub fn once(files: Vec<DataFile>) -> (Vec<DataFile>, Vec<String>) {
    let mut first: HashMap<_, String> = HashMap::new();
    let (mut kept, mut notices, mut more) = (Vec::with_capacity(files.len()), Vec::new(), 0_usize);
    let single = files.len() < 2;
    for file in files {
        // A copy of a stream is there once; what cannot be looked at, reading will say.
        let identity = file.place.path().filter(|_| !single).and_then(identity);
        let known = identity.as_ref().and_then(|identity| first.get(identity));
        match known {
            Some(_) if notices.len() >= MAX_NAMED => more += 1,
            Some(other) if *other == file.name => notices.push(format!("{other} is named twice: it is read once")),
            Some(other) => notices.push(format!("{} is the same file as {other}: it is read once", file.name)),
            None => {
                first.extend(identity.map(|identity| (identity, file.name.clone())));
                kept.push(file);
            }
        }
    }
    if more > 0 {
        notices.push(format!("{more} more files are named twice: they are read once"));
    }
    (kept, notices)
}

/// What two names of one file have in common. The number of a file alone is not trusted: some drivers make it up.
#[cfg(unix)]
fn identity(path: &Path) -> Option<impl Eq + Hash + use<>> {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

/// The path that every link leads to.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<impl Eq + Hash + use<>> {
    path.canonicalize().ok()
}
