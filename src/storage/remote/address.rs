//! Parses the addresses of files, and makes their names without secrets.

use std::fmt::Write as _;

use crate::diagnostic::{Error, Result};
use crate::storage::percent;

/// Minimum length of a secret that is removed from messages. Shorter values, such as versions and permissions, occur
/// in too many words.
#[cfg(feature = "remote")]
const SHORTEST_SECRET: usize = 4;

/// The text that replaces a secret in messages.
pub(crate) const HIDDEN: &str = "[redacted]";

/// A location that the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A path on this machine.
    Local(String),
    /// A URL of a server.
    Remote(Url),
}

/// The protocol of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Azure storage: `az`, `abfs`, `abfss`, `adl`, `azure`.
    Azure,
    /// Amazon S3: `s3`, `s3a`.
    S3,
    /// Google Cloud Storage: `gs`.
    Google,
    /// A web server: `http`, `https`.
    Web,
}

/// The URL of a file, folder or pattern in a store.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub scheme: Scheme,
    /// The scheme, `://`, and the bucket, container or host.
    pub root: String,
    /// The text after the root and its slash: a key, a folder or a pattern. It is unchanged: keys in buckets are not
    /// percent-decoded, and web addresses keep their query.
    pub rest: String,
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl Address {
    /// Parses `text` if it is a URL: letters, `://`, and more. Returns None for paths.
    ///
    /// # Errors
    /// The scheme is not known, the host or bucket is missing, or it is a `file` URL of another machine.
    pub(crate) fn parse(text: &str) -> Option<Result<Self>> {
        let (scheme, rest) = split(text)?;
        Some(Self::of_scheme(&scheme.to_ascii_lowercase(), rest).map_err(|reason| wrong(text, reason)))
    }

    fn of_scheme(scheme: &str, rest: &str) -> Result<Self, &'static str> {
        let kind = match scheme {
            "file" => return local(rest).map(Self::Local),
            "az" | "abfs" | "abfss" | "adl" | "azure" => Scheme::Azure,
            "s3" | "s3a" => Scheme::S3,
            "gs" => Scheme::Google,
            "http" | "https" => Scheme::Web,
            _ => {
                return Err("unsupported kind of address; supported are az, abfss, s3, gs, https, http and file");
            }
        };
        let end = match kind {
            Scheme::Web => rest.find(['/', '?', '#']),
            _ => rest.find('/'),
        };
        let (host, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if host.is_empty() {
            return Err("the address names no bucket, container or host");
        }
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        Ok(Self::Remote(Url { scheme: kind, root: format!("{scheme}://{host}"), rest: rest.to_owned() }))
    }
}

/// True for a URL: letters and digits, `://`, and more. A single letter before `://` is the drive of a path.
#[must_use]
pub fn is_url(text: &str) -> bool {
    split(text).is_some()
}

fn split(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    (scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric())).then_some((scheme, rest))
}

fn wrong(text: &str, reason: &str) -> Error {
    Error::Usage(format!("{}: {reason}", redacted(text)))
}

/// Returns the path that a `file` URL names, from the part after its `://`.
fn local(rest: &str) -> Result<String, &'static str> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err("a file URL needs an absolute path on this machine: write file:///path");
    }
    percent::decoded(path).ok_or("its percent-encoding is not valid UTF-8")
}

impl Url {
    /// Returns the name of the URL in messages, provenance and manifests. It has nothing that may be secret.
    pub(crate) fn name(&self) -> String {
        self.with(&self.rest)
    }

    /// Returns the parts of the address that may be secret, in all spellings in which a server may repeat them.
    #[cfg(feature = "remote")]
    pub(crate) fn secrets(&self) -> Vec<String> {
        let user = self.root.split_once("://").and_then(|(_, host)| host.rsplit_once('@')).map(|(user, _)| user);
        // A name before an `@` without a password is the container of an Azure account.
        let user = user.filter(|user| self.scheme == Scheme::Web || user.contains(':'));
        let query = self
            .rest
            .split_once('?')
            .map(|(_, query)| query)
            .filter(|query| self.scheme == Scheme::Web || is_query(query));
        let users = user.into_iter().flat_map(|user| user.split(':').chain([user]));
        let values = query.into_iter().flat_map(|query| {
            let value = |part: &'_ str| part.split_once('=').map_or(part.len(), |(name, _)| name.len() + 1);
            query.split('&').map(move |part| part.get(value(part)..).unwrap_or_default()).chain([query])
        });
        let written: Vec<&str> = users.chain(values).filter(|text| text.len() >= SHORTEST_SECRET).collect();
        let decoded = written.iter().filter_map(|text| percent::decoded(text));
        let mut all: Vec<String> = decoded.chain(written.iter().map(|text| (*text).to_owned())).collect();
        // The longest come first: if a shorter one that is a part of it were removed before, the rest would remain.
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        all.dedup();
        all
    }

    /// Returns the name of the object `key` in the same store.
    pub(crate) fn with(&self, key: &str) -> String {
        match self.scheme {
            Scheme::Web => redacted(&format!("{}/{key}", self.root)),
            _ => format!("{}/{key}", redacted(&self.root)),
        }
    }
}

/// Returns the text without the secrets in its URLs: passwords, and queries, which have signatures.
#[must_use]
pub fn redacted(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = behind.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | ')'));
        let (url, after) = behind.split_at(end.unwrap_or(behind.len()));
        let is_web = ["http://", "https://"].iter().any(|web| before.to_ascii_lowercase().ends_with(web));
        push_url(&mut clean, url, is_web);
        rest = after;
    }
    clean.push_str(rest);
    clean
}

/// True if the text after a question mark is a query, and not a part of a pattern: it has names with values, as
/// signatures do.
fn is_query(text: &str) -> bool {
    let is_parameter =
        |part: &str| part.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains('/'));
    text.split('&').all(is_parameter)
}

/// Appends a URL, from its host on, to `clean`, without secrets.
fn push_url(clean: &mut String, url: &str, is_web: bool) {
    let host_end = url.find(['/', '?', '#']).unwrap_or(url.len());
    let (host, path) = url.split_at(host_end);
    match host.rsplit_once('@') {
        // A name before an `@` without a password is the container of an Azure account.
        Some((user, host)) if is_web || user.contains(':') => {
            // Writing to a string cannot fail.
            let _ = write!(clean, "{HIDDEN}@{host}");
        }
        _ => clean.push_str(host),
    }
    match path.split_once('?') {
        // Outside the web, a question mark is a wildcard, unless a signature follows it.
        Some((path, query)) if is_web || is_query(query) => {
            let _ = write!(clean, "{path}?{HIDDEN}");
        }
        _ => clean.push_str(path),
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Scheme, Url, redacted};

    fn parse(text: &str) -> Option<Address> {
        Address::parse(text).map(|address| address.expect("an address"))
    }

    fn url(scheme: Scheme, root: &str, rest: &str) -> Option<Address> {
        Some(Address::Remote(Url { scheme, root: root.to_owned(), rest: rest.to_owned() }))
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(parse("az://logs/a b/x?.json"), url(Scheme::Azure, "az://logs", "a b/x?.json"));
        assert_eq!(
            parse("abfss://logs@account.dfs.core.windows.net/"),
            url(Scheme::Azure, "abfss://logs@account.dfs.core.windows.net", "")
        );
        assert_eq!(parse("S3://bucket"), url(Scheme::S3, "s3://bucket", ""));
        assert_eq!(parse("https://host:8080?sig=1"), url(Scheme::Web, "https://host:8080", "?sig=1"));
        assert_eq!(parse("file:///a%20b"), Some(Address::Local("/a b".to_owned())));
        assert_eq!(parse("file://localhost/a"), Some(Address::Local("/a".to_owned())));
        for path in ["archive/a.json", "C://a", "a b://c", "://x", "/a://b"] {
            assert_eq!(parse(path), None, "{path}");
        }
        for wrong in ["file://elsewhere/a", "ftp://host/a", "s3:///key", "file:///%ff", "https://"] {
            assert!(Address::parse(wrong).is_some_and(|address| address.is_err()), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_left_out() {
        let cases = [
            ("https://a.b/c?sv=1&sig=x%3D", "https://a.b/c?[redacted]"),
            (
                "error at https://a.b/c?sig=x: 403 (https://u:p@a.b/d)",
                "error at https://a.b/c?[redacted] 403 (https://[redacted]@a.b/d)",
            ),
            ("az://c@account.dfs.core.windows.net/x?.json", "az://c@account.dfs.core.windows.net/x?.json"),
            ("az://c/m=0?/d=01/x.json", "az://c/m=0?/d=01/x.json"),
            ("HTTP://a.b?token", "HTTP://a.b?[redacted]"),
            ("https://TOKEN@host/x", "https://[redacted]@host/x"),
            ("gs://b/x.json?X-Goog-Signature=ab&x=1", "gs://b/x.json?[redacted]"),
            ("s3://b/y=202?/m=1", "s3://b/y=202?/m=1"),
            ("az://c/x.json?sv=1&sig=y", "az://c/x.json?[redacted]"),
            ("no address: a?b=c", "no address: a?b=c"),
        ];
        for (text, clean) in cases {
            assert_eq!(redacted(text), clean);
        }
    }
}
