//! Pages of responses that are saved in several files: checks whether all pages of each response are there.
//!
//! Each page of a Microsoft Graph response has a link to the next page; only the last page has none. Links cannot be
//! followed in saved files, so pages are counted: among the files of a folder with pages of the same kind, at least
//! one must end with a last page, and there must be as many last pages as there are requests with different filters.
//!
//! Each page of a search of Elasticsearch has the number of all hits. The pages in a folder must have as many hits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Damage, ScanReport};
use crate::entra::KnownTable;

/// What is known of a response from one of its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResultPage {
    /// The value of `@odata.context`, which names the kind of the records; "" if it is absent.
    pub context: String,
    /// The filter of the request, if the page links to a next page ("" for a request without a filter); None for a
    /// last page.
    pub next: Option<String>,
    /// True if the page has an error beside its records.
    pub failed: bool,
}

/// Maximum number of kinds of pages, and of searches, that are counted.
const MAX_KINDS: usize = 10_000;
/// Maximum number of different filters that are remembered for each kind of page.
const MAX_FILTERS: usize = 1_000;

/// Counts the pages of responses in some files.
#[derive(Clone, Debug, Default)]
pub struct ResultPages {
    /// The pages that may link to other pages, by their folder and context.
    linked: BTreeMap<(String, String), PagesOfContext>,
    /// The pages of searches, by their folder and the number of all hits.
    searches: BTreeMap<(String, u64), PagesOfSearch>,
}

/// The numbers of hits in a page of the results of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HitCount {
    /// The number of all hits of the search.
    pub total: u64,
    /// The number of hits in the page.
    pub returned: u64,
}

/// The pages in a folder that state the same number of all hits. They are taken for the pages of one search.
#[derive(Clone, Debug, Default)]
struct PagesOfSearch {
    /// The number of hits in all of these pages.
    returned: u64,
    /// The last file, by name, that has one of these pages.
    last: String,
}

/// The pages that have the same context and are in the same folder.
#[derive(Clone, Debug, Default)]
struct PagesOfContext {
    /// For each file, the offset of its last page, and true if that page links to a next page.
    files: BTreeMap<String, (u64, bool)>,
    /// The filters of the requests whose pages link to a next page.
    filters: BTreeSet<String>,
    /// Number of pages that do not link to a next page.
    last_pages: usize,
}

impl PagesOfContext {
    /// Returns a file that ends with a page whose next page is missing; None if no page is missing.
    fn open_file(&self) -> Option<&str> {
        let is_open = self.files.values().all(|(_, open)| *open) || self.filters.len() > self.last_pages;
        let mut open = self.files.iter().filter(|(_, (_, open))| *open);
        open.next_back().map(|(file, _)| file.as_str()).filter(|_| is_open)
    }
}

impl ResultPages {
    /// Adds the page at `offset` of a file.
    pub(crate) fn add(&mut self, file: &str, offset: u64, page: &ResultPage) {
        let key = (folder_of(file), page.context.clone());
        if self.linked.len() >= MAX_KINDS && !self.linked.contains_key(&key) {
            return;
        }
        let kind = self.linked.entry(key).or_default();
        kind.last_pages += usize::from(page.next.is_none());
        let open = page.next.is_some();
        kind.filters.extend(page.next.clone().filter(|_| kind.filters.len() < MAX_FILTERS));
        let last = kind.files.entry(file.to_owned()).or_insert((offset, open));
        if offset >= last.0 {
            *last = (offset, open);
        }
    }

    /// Adds a page of the results of a search. `file` contains the page.
    pub(crate) fn add_hits(&mut self, file: &str, hits: HitCount) {
        let key = (folder_of(file), hits.total);
        if self.searches.len() < MAX_KINDS || self.searches.contains_key(&key) {
            self.searches.entry(key).or_default().add(hits.returned, file);
        }
    }

    /// Adds the pages of other files.
    pub fn extend(&mut self, other: Self) {
        for (key, found) in other.searches {
            self.searches.entry(key).or_default().add(found.returned, &found.last);
        }
        for (key, found) in other.linked {
            let kind = self.linked.entry(key).or_default();
            kind.files.extend(found.files);
            kind.filters.extend(found.filters);
            kind.last_pages += found.last_pages;
        }
    }

    /// Returns the missing pages as damage, each with the file that links to the missing page.
    pub fn missing(&self) -> impl Iterator<Item = (Damage, &str)> {
        let links = self.linked.iter().filter_map(|((_, context), kind)| Some((damage_of(context), kind.open_file()?)));
        links.chain(self.missing_hits())
    }

    /// Returns the searches whose pages have fewer hits than the search found, as damage, each with a file.
    fn missing_hits(&self) -> impl Iterator<Item = (Damage, &str)> {
        let searches = self.searches.iter().filter(|((_, total), pages)| pages.returned < *total);
        searches.map(|((_, total), pages)| (Damage::MissingHits(pages.returned, *total), pages.last.as_str()))
    }

    /// Reports missing pages that may have records of `table`; all missing pages if `table` is None.
    pub(crate) fn report(&self, table: Option<&KnownTable>, report: &ScanReport) {
        let kinds = self.linked.iter().filter(|((_, context), _)| table.is_none_or(|table| may_be_of(context, table)));
        let missing = kinds.filter_map(|((_, context), kind)| Some((damage_of(context), kind.open_file()?)));
        missing.chain(self.missing_hits()).for_each(|(damage, file)| report.damaged(damage, file, 1));
    }
}

impl PagesOfSearch {
    fn add(&mut self, returned: u64, file: &str) {
        self.returned = self.returned.saturating_add(returned);
        if self.last.as_str() < file {
            file.clone_into(&mut self.last);
        }
    }
}

fn folder_of(file: &str) -> String {
    Path::new(file).parent().map_or(String::new(), |folder| folder.display().to_string())
}

/// Returns the entity set in a context: the part after its `#`.
fn entity(context: &str) -> &str {
    context.rsplit_once('#').map_or(context, |(_, entity)| entity)
}

fn damage_of(context: &str) -> Damage {
    Damage::MissingPages(entity(context).to_owned())
}

/// True if pages with this context may contain records of `table`.
fn may_be_of(context: &str, table: &KnownTable) -> bool {
    let entity = entity(context).to_ascii_lowercase();
    let of_table = match table.category {
        category if category.ends_with("SignInLogs") => "signin",
        "AuditLogs" => "directoryaudit",
        "ProvisioningLogs" => "provisioning",
        "RiskyUsers" | "UserRiskEvents" => "risk",
        _ => return !context.contains('#'),
    };
    !context.contains('#') || entity.contains(of_table)
}

#[cfg(test)]
mod tests {
    use super::{Damage, HitCount, ResultPage, ResultPages};

    /// Returns the files with links to missing pages. Each of `pages` has a file, a filter, and true if it links to a
    /// next page.
    fn open(pages: &[(&str, &str, bool)]) -> Vec<String> {
        let mut all = ResultPages::default();
        for (offset, &(file, filter, more)) in pages.iter().enumerate() {
            let next = more.then(|| filter.to_owned());
            all.add(file, offset as u64, &ResultPage { context: "x#signIns".to_owned(), next, failed: false });
        }
        all.missing().map(|(_, file)| file.to_owned()).collect()
    }

    #[test]
    fn pages_of_a_search_have_all_of_its_hits() {
        let mut pages = ResultPages::default();
        let hits = |total, returned| HitCount { total, returned };
        pages.add_hits("x/1", hits(3, 2));
        assert_eq!(pages.missing().collect::<Vec<_>>(), [(Damage::MissingHits(2, 3), "x/1")]);
        let mut others = ResultPages::default();
        others.add_hits("y/2", hits(3, 1));
        others.add_hits("x/2", hits(3, 1));
        pages.extend(others);
        assert_eq!(pages.missing().collect::<Vec<_>>(), [(Damage::MissingHits(1, 3), "y/2")], "folders are apart");
    }

    #[test]
    fn one_last_page_ends_a_chain() {
        assert_eq!(open(&[("a", "", false)]), [""; 0]);
        assert_eq!(open(&[("a", "", true), ("b", "", true)]), ["b"]);
        assert_eq!(open(&[("a", "", true), ("b", "", false), ("c", "", true)]), [""; 0], "in any order");
        assert_eq!(open(&[("a", "", true), ("a", "", false), ("a", "", true)]), ["a"], "pages of a file are in order");
        assert_eq!(open(&[("x/a", "", false), ("y/a", "", true)]), ["y/a"], "folders are apart");
        assert_eq!(open(&[("a", "1", true), ("b", "1", false), ("c", "2", true)]), ["c"], "two requests, one end");
    }
}
