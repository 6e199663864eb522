//! Pages of responses that are saved in several files: checks whether all pages of each response are there.
//!
//! Each page of a Microsoft Graph response has a link to the next page; only the last page has none. Other services
//! have tokens or flags instead. Links cannot be followed in saved files, so pages are counted: among the files of a
//! folder with pages of the same kind, at least one must end with a last page, and there must be as many last pages as
//! there are requests with different filters.
//!
//! Some pages state how many records the response has. The pages in a folder must have as many records. Microsoft
//! Graph states the number on the first page only, so records of other pages count for any of the stated numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Damage, ScanReport};
use crate::entra::KnownTable;

/// What is known of a response from one of its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResultPage {
    /// The value of `@odata.context`, which names the kind of the records, or else the key of the records.
    pub context: String,
    /// The filter of the request, if the page says that a next page follows ("" for a request without a filter); None
    /// for a last page.
    pub next: Option<String>,
    /// The number of records that the response has on all pages, if the page states it.
    pub total: Option<u64>,
    /// Number of records of the page.
    pub records: u64,
    /// True if the page has an error beside its records.
    pub failed: bool,
}

/// Maximum number of kinds of pages that are counted.
const MAX_KINDS: usize = 10_000;
/// Maximum number of different filters, and of different totals, that are remembered for each kind of page.
const MAX_FILTERS: usize = 1_000;

/// Counts the pages of responses in some files, by their folder and context.
#[derive(Clone, Debug, Default)]
pub struct ResultPages(BTreeMap<(String, String), PagesOfContext>);

/// The pages that have the same context and are in the same folder.
#[derive(Clone, Debug, Default)]
struct PagesOfContext {
    /// For each file, the offset of its last page, and true if that page links to a next page.
    files: BTreeMap<String, (u64, bool)>,
    /// The filters of the requests whose pages link to a next page.
    filters: BTreeSet<String>,
    /// Number of pages that do not link to a next page.
    last_pages: usize,
    /// The pages that state the number of all records, by this number. They are taken for pages of one response.
    totals: BTreeMap<u64, PagesOfTotal>,
    /// Number of records in pages that do not state the number of all records.
    unstated: u64,
}

/// The pages that state the same number of all records.
#[derive(Clone, Debug, Default)]
struct PagesOfTotal {
    /// Number of records in all of these pages.
    records: u64,
    /// The last file, by name, that has one of these pages.
    last: String,
}

impl PagesOfTotal {
    fn add(&mut self, records: u64, file: &str) {
        self.records = self.records.saturating_add(records);
        if self.last.as_str() < file {
            file.clone_into(&mut self.last);
        }
    }
}

impl PagesOfContext {
    fn add(&mut self, file: &str, offset: u64, page: &ResultPage) {
        self.last_pages += usize::from(page.next.is_none());
        let open = page.next.is_some();
        self.filters.extend(page.next.clone().filter(|_| self.filters.len() < MAX_FILTERS));
        let last = self.files.entry(file.to_owned()).or_insert((offset, open));
        if offset >= last.0 {
            *last = (offset, open);
        }
        match page.total {
            Some(total) if self.totals.len() < MAX_FILTERS || self.totals.contains_key(&total) => {
                self.totals.entry(total).or_default().add(page.records, file);
            }
            _ => self.unstated = self.unstated.saturating_add(page.records),
        }
    }

    /// Adds the pages of other files.
    fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.filters.extend(other.filters);
        self.last_pages += other.last_pages;
        self.unstated = self.unstated.saturating_add(other.unstated);
        for (total, pages) in other.totals {
            self.totals.entry(total).or_default().add(pages.records, &pages.last);
        }
    }

    /// Returns what is missing, as damage with a file.
    fn missing(&self, context: &str) -> impl Iterator<Item = (Damage, &str)> {
        let link = self.open_file().map(|file| (Damage::MissingPages(entity(context).to_owned()), file));
        link.into_iter().chain(self.missing_records())
    }

    /// Returns the damage if the pages have fewer records than they state, with a file.
    fn missing_records(&self) -> Option<(Damage, &str)> {
        let incomplete = || self.totals.iter().filter(|(total, pages)| pages.records < **total);
        let total = incomplete().fold(0, |sum: u64, (total, _)| sum.saturating_add(*total));
        let stated = incomplete().fold(0, |sum: u64, (_, pages)| sum.saturating_add(pages.records));
        let records = stated.saturating_add(self.unstated);
        let file = incomplete().map(|(_, pages)| pages.last.as_str()).max()?;
        (records < total).then_some((Damage::MissingRecords(records, total), file))
    }

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
        if self.0.len() < MAX_KINDS || self.0.contains_key(&key) {
            self.0.entry(key).or_default().add(file, offset, page);
        }
    }

    /// Adds the pages of other files.
    pub fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|(key, found)| self.0.entry(key).or_default().extend(found));
    }

    /// Returns the missing pages and records as damage, each with a file.
    pub fn missing(&self) -> impl Iterator<Item = (Damage, &str)> {
        self.0.iter().flat_map(|((_, context), kind)| kind.missing(context))
    }

    /// Reports missing pages that may have records of `table`; all missing pages if `table` is None.
    pub(crate) fn report(&self, table: Option<&KnownTable>, report: &ScanReport) {
        let kinds = self.0.iter().filter(|((_, context), _)| table.is_none_or(|table| may_be_of(context, table)));
        let missing = kinds.flat_map(|((_, context), kind)| kind.missing(context));
        missing.for_each(|(damage, file)| report.damaged(damage, file, 1));
    }
}

fn folder_of(file: &str) -> String {
    Path::new(file).parent().map_or(String::new(), |folder| folder.display().to_string())
}

/// Returns the entity set in a context: the part after its `#`; "" if there is none.
fn entity(context: &str) -> &str {
    context.rsplit_once('#').map_or("", |(_, entity)| entity)
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
    use super::{Damage, ResultPage, ResultPages};

    /// Returns the files with links to missing pages. Each of `pages` has a file, a filter, and true if it links to a
    /// next page.
    fn open(pages: &[(&str, &str, bool)]) -> Vec<String> {
        let mut all = ResultPages::default();
        for (offset, &(file, filter, more)) in pages.iter().enumerate() {
            let next = more.then(|| filter.to_owned());
            all.add(
                file,
                offset as u64,
                &ResultPage { context: "x#signIns".to_owned(), next, ..ResultPage::default() },
            );
        }
        all.missing().map(|(_, file)| file.to_owned()).collect()
    }

    #[test]
    fn pages_have_all_records_that_they_state() {
        let mut pages = ResultPages::default();
        let page = |total, records| ResultPage { total, records, ..ResultPage::default() };
        pages.add("x/1", 0, &page(Some(3), 2));
        assert_eq!(pages.missing().collect::<Vec<_>>(), [(Damage::MissingRecords(2, 3), "x/1")]);
        let mut others = ResultPages::default();
        others.add("y/2", 0, &page(Some(3), 1));
        others.add("x/2", 0, &page(Some(3), 1));
        pages.extend(others);
        assert_eq!(pages.missing().collect::<Vec<_>>(), [(Damage::MissingRecords(1, 3), "y/2")], "folders are apart");
        pages.add("y/3", 0, &page(None, 2));
        assert_eq!(pages.missing().count(), 0, "only the first page states the number");
        pages.add("y/4", 0, &page(Some(9), 8));
        pages.add("y/5", 0, &page(Some(8), 8));
        assert_eq!(pages.missing().collect::<Vec<_>>(), [(Damage::MissingRecords(11, 12), "y/4")]);
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
