//! Recognises hidden files and folders, whose names begin with a dot. As in shells, they are skipped. This is
//! reported, except for well-known metadata of operating systems and tools.

/// The reason for skipping hidden files, in messages.
pub(crate) const HIDDEN: &str = "hidden";

/// Names of metadata of operating systems and tools, which is ignored silently.
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

/// Prefixes of names that are ignored; the last one is that of the temporary files of this program.
const IGNORED_PREFIXES: [&str; 6] = ["._", ".#", ".~lock.", ".Trash-", ".azDownload-", ".coldcase-"];

/// Suffixes of names that are ignored: checksum files of Hadoop, swap files of editors, and unfinished conversions of
/// this program.
const IGNORED_SUFFIXES: [&str; 3] = [".crc", ".swp", ".coldcase-unfinished"];

/// The folder in which macOS stores file system metadata in zip archives.
const RESOURCE_FORKS: &str = "__MACOSX";

/// True if a file or folder of this name is hidden.
pub(crate) fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".") && name != b"." && name != b".."
}

/// True if a hidden file or folder of this name is ignored silently.
pub(crate) fn is_ignored(name: &[u8]) -> bool {
    let is_known = IGNORED_NAMES.iter().any(|ignored| name == ignored.as_bytes())
        || IGNORED_PREFIXES.iter().any(|start| name.starts_with(start.as_bytes()))
        || IGNORED_SUFFIXES.iter().any(|end| name.ends_with(end.as_bytes()));
    is_known && is_hidden(name)
}

/// Tells whether an entry of an archive is hidden.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EntryName<'a> {
    /// The entry is not hidden.
    Plain,
    /// The entry is hidden. The string is the part of its path up to the first hidden name.
    Hidden(&'a str),
    /// The entry is ignored silently.
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
