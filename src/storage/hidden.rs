//! Names that begin with a dot: what has them is left out, as shells do, and named unless nobody can mean it.

/// Why what has such a name is not read.
pub(crate) const HIDDEN: &str = "hidden";

/// What systems and tools leave behind.
const IGNORED_NAMES: [&str; 10] = [
    ".DS_Store",
    ".git",
    ".gitattributes",
    ".gitignore",
    ".gitkeep",
    ".keep",
    ".Spotlight-V100",
    ".TemporaryItems",
    ".Trashes",
    ".fseventsd",
];

/// How names of what they leave behind begin; the last is for temporary files of ours.
const IGNORED_PREFIXES: [&str; 6] = ["._", ".#", ".~lock.", ".Trash-", ".azDownload-", ".coldcase-"];

/// How they end: checksums beside files that Hadoop and its kin wrote, copies of files that are being edited, folders of
/// conversions of ours.
const IGNORED_SUFFIXES: [&str; 3] = [".crc", ".swp", ".coldcase-unfinished"];

/// The folder of an archive that macOS made, with what its file system keeps beside files.
const RESOURCE_FORKS: &str = "__MACOSX";

/// True for the name of a file or folder that is left out.
pub(crate) fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".") && name != b"." && name != b".."
}

/// True for the name of something hidden that nobody means.
pub(crate) fn is_ignored(name: &[u8]) -> bool {
    let is_known = IGNORED_NAMES.iter().any(|ignored| name == ignored.as_bytes())
        || IGNORED_PREFIXES.iter().any(|start| name.starts_with(start.as_bytes()))
        || IGNORED_SUFFIXES.iter().any(|end| name.ends_with(end.as_bytes()));
    is_known && is_hidden(name)
}

/// What is to be done with an entry of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EntryName<'a> {
    /// It is no matter of this module.
    Plain,
    /// It is left out, for the last name of this path, the first of its names that are, is hidden.
    Hidden(&'a str),
    /// It is left out, and nobody misses it.
    Ignored,
}

impl<'a> EntryName<'a> {
    pub(crate) fn of(path: &'a str) -> Self {
        let mut end = 0;
        let mut hidden = None;
        for name in path.split(['/', '\\']) {
            end += name.len();
            if is_hidden(name.as_bytes()) {
                hidden = hidden.or(Some(&path[..end]));
            }
            if name == RESOURCE_FORKS || is_ignored(name.as_bytes()) {
                return Self::Ignored;
            }
            end += 1;
        }
        hidden.map_or(Self::Plain, Self::Hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::EntryName;

    #[test]
    fn names_of_entries_are_told_apart() {
        for path in ["a.json", "../a.json", "./a/b.json", "a./b", "x/._a/../b.", ""] {
            let expected = if path.contains("._") { EntryName::Ignored } else { EntryName::Plain };
            assert_eq!(EntryName::of(path), expected, "{path}");
        }
        assert_eq!(EntryName::of("x/.y/z/.w"), EntryName::Hidden("x/.y"));
        assert_eq!(EntryName::of("x\\.y"), EntryName::Hidden("x\\.y"));
        for path in ["__MACOSX/a.json", ".DS_Store", ".empty/.gitignore", "a/.git/b", ".a.parquet.crc"] {
            assert_eq!(EntryName::of(path), EntryName::Ignored, "{path}");
        }
    }
}
