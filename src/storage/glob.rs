//! Globs: determines which paths match, and which folders may have a match.

use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf, is_separator};

use globset::{GlobBuilder, GlobMatcher};

use super::folders::FileSelection;
use crate::diagnostic::{Error, Result};

/// A path with wildcards.
pub(crate) struct GlobPattern {
    matcher: GlobMatcher,
    root: PathBuf,
    /// The pattern for the name of the folder at each depth below the root. If `any_depth` is set, these are only the
    /// first depths.
    folders: Vec<GlobMatcher>,
    /// True if the part of the glob after `folders` may match at any depth.
    any_depth: bool,
}

impl GlobPattern {
    /// Parses a glob. Returns None if the text has no wildcards. A leading part for which `exists` is true is a plain
    /// path, even if it has wildcards: in `case [42]/*.json`, the folder is `case [42]` if it exists.
    ///
    /// # Errors
    /// The text is not a valid glob.
    pub(crate) fn parse(text: &str, exists: impl Fn(&Path) -> bool) -> Result<Option<Self>> {
        let (mut root, mut rest) = (String::new(), text);
        while let Some((part, after)) = first_part(rest) {
            if is_glob(part) && !exists(Path::new(&format!("{root}{part}"))) {
                break;
            }
            root.push_str(part);
            rest = after;
        }
        if !is_glob(rest) {
            return Ok(None);
        }
        let compile = |glob: &str| {
            let glob = GlobBuilder::new(glob).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|error| Error::Usage(format!("{text}: {}", error.kind())))
        };
        let matcher = compile(&format!("{}{rest}", globset::escape(&root)))?;
        let (mut folders, mut any_depth) = (Vec::new(), false);
        for part in rest.split(is_separator) {
            // Braces and brackets may contain separators, so a part of them need not be a valid glob.
            any_depth = part.contains("**") || part.contains(['{', '}']) || compile(part).is_err();
            if any_depth {
                break;
            }
            folders.push(compile(part)?);
        }
        Ok(Some(Self { matcher, root: PathBuf::from(root), folders, any_depth }))
    }

    /// True if the path or a folder that contains it matches.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        path.ancestors().any(|path| self.matcher.is_match(path))
    }

    /// Returns the path before the first wildcard.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

impl FileSelection for GlobPattern {
    fn wants(&self, file: &Path) -> bool {
        self.matches(file)
    }

    fn may_hold(&self, folder: &Path) -> bool {
        let Ok(below) = folder.strip_prefix(&self.root) else { return true };
        let names: Vec<&Path> = below
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => Some(Path::new(name)),
                _ => None,
            })
            .collect();
        // A folder as deep as the pattern may be inside a folder that matches.
        let deeper_counts = self.any_depth || names.len() >= self.folders.len();
        names.iter().zip(&self.folders).all(|(name, glob)| glob.is_match(name))
            && (deeper_counts || names.len() < self.folders.len())
    }
}

/// Splits the text after its first separator; None if it has none.
fn first_part(text: &str) -> Option<(&str, &str)> {
    text.find(is_separator).map(|at| text.split_at(at + MAIN_SEPARATOR.len_utf8()))
}

fn is_glob(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FileSelection, GlobPattern};

    #[test]
    fn folders_that_cannot_hold_a_match_are_pruned() {
        let cases = [
            ("a/b/*.json", "a/b", &["a/b"][..], &["a/b/c"][..]),
            ("a/m=*/x", "a/", &["a", "a/m=1", "a/m=1/x", "a/m=1/x/y"], &["a/n", "a/n/x", "a/m=1/y"]),
            ("a/**/b.json", "a/", &["a", "a/b/c/d"], &[]),
            ("a/{b,c/d}/*", "a/", &["a/b", "a/c", "a/z"], &[]),
            ("*/b", "", &["a", "a/b", "a/b/c"], &["a/c"]),
        ];
        for (text, root, open, pruned) in cases {
            let pattern = GlobPattern::parse(text, |_| false).expect("a glob").expect("wildcards");
            assert_eq!(pattern.root(), Path::new(root), "{text}");
            for folder in open {
                assert!(pattern.may_hold(Path::new(folder)), "{text}: {folder}");
            }
            for folder in pruned {
                let is_open = pattern.may_hold(Path::new(folder));
                assert_eq!(is_open, pattern.matches(Path::new(folder)), "{text}: {folder}");
                assert!(!is_open, "{text}: {folder}");
            }
        }
    }

    #[test]
    fn parts_that_exist_are_plain_paths() {
        let exists = |path: &Path| path == Path::new("case [42]/");
        let pattern = GlobPattern::parse("case [42]/**/*.json", exists).expect("a glob").expect("wildcards");
        assert_eq!(pattern.root(), Path::new("case [42]/"));
        assert!(pattern.matches(Path::new("case [42]/a/b.json")) && !pattern.matches(Path::new("case 4/a/b.json")));
        assert!(GlobPattern::parse("case [42]/a.json", exists).expect("a path").is_none());
        let class = GlobPattern::parse("case [42]/*.json", |_| false).expect("a glob").expect("wildcards");
        assert!(class.matches(Path::new("case 4/a.json")));
    }
}
