//! The known tables: their columns, and the mapping of each column in every shape.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::RowKind;
use super::mapping::Mapping;
use super::portal;
use crate::types::{Field, Schema, Type};

/// A table of Microsoft Entra logs, or another table with which detections join them.
#[derive(Debug)]
pub struct KnownTable {
    /// The name of the table in queries.
    pub name: &'static str,
    /// The category of the table in diagnostic settings; "" if they do not export it.
    pub category: &'static str,
    /// True if only a query that names the table reads it. `union *`, and `search` without tables, do not read it:
    /// otherwise their results would have the columns of every service, whatever the files have.
    pub by_name: bool,
    /// The columns, in order.
    pub schema: Schema,
    /// The columns that an investigator looks at first, the most important first.
    pub main: Vec<&'static str>,
    columns: Vec<[Mapping; RowKind::ALL.len()]>,
}

impl KnownTable {
    /// Returns the mapping of the column at `index` in records of `kind`.
    #[must_use]
    pub fn mapping(&self, index: usize, kind: RowKind) -> &Mapping {
        &self.columns[index][kind as usize]
    }

    /// Returns the table with the columns `more` after its own. They are read from the keys of their names: unchanged
    /// in table rows, and also in camelCase in Graph objects and in the properties of diagnostic records.
    ///
    /// The memory of such tables is never freed. A query adds at most one table for each set of columns that it
    /// names.
    #[must_use]
    pub fn with_columns(&self, more: &[Field]) -> &'static Self {
        static EXTENDED: Mutex<Vec<&'static KnownTable>> = Mutex::new(Vec::new());
        let fields: Vec<Field> = self.schema.fields().iter().chain(more).cloned().collect();
        let schema = Schema::new(fields);
        let mut extended = EXTENDED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = extended.iter().find(|known| known.name == self.name && known.schema == schema) {
            return known;
        }
        let columns = self.columns.iter().cloned().chain(more.iter().map(|field| Mapping::by_name(&field.name)));
        let (name, category, by_name, main) = (self.name, self.category, self.by_name, self.main.clone());
        let table: &'static Self =
            Box::leak(Box::new(Self { name, category, by_name, schema, main, columns: columns.collect() }));
        extended.push(table);
        table
    }

    /// True if no record of `kind` can have a value for the column at `index`.
    #[must_use]
    pub fn is_unsupplied(&self, index: usize, kind: RowKind) -> bool {
        self.mapping(index, kind).source == super::ColumnSource::Unsupplied
    }
}

/// The suffix of the names of tables that were restored from the archive of a workspace.
pub(crate) const RESTORED: &str = "_RST";

/// The data files. Each has a header line with the table, its category and whether it is read only by name, then a
/// line with the main columns, then a line for each column.
static DATA: [&str; 20] = [
    include_str!("tables/SigninLogs.tsv"),
    include_str!("tables/AADNonInteractiveUserSignInLogs.tsv"),
    include_str!("tables/AADServicePrincipalSignInLogs.tsv"),
    include_str!("tables/AADManagedIdentitySignInLogs.tsv"),
    include_str!("tables/ADFSSignInLogs.tsv"),
    include_str!("tables/AuditLogs.tsv"),
    include_str!("tables/AADRiskyUsers.tsv"),
    include_str!("tables/AADUserRiskEvents.tsv"),
    include_str!("tables/IdentityInfo.tsv"),
    include_str!("tables/OfficeActivity.tsv"),
    include_str!("tables/SecurityAlert.tsv"),
    include_str!("tables/SecurityIncident.tsv"),
    include_str!("tables/BehaviorAnalytics.tsv"),
    include_str!("tables/Anomalies.tsv"),
    include_str!("tables/MicrosoftGraphActivityLogs.tsv"),
    include_str!("tables/MicrosoftServicePrincipalSignInLogs.tsv"),
    include_str!("tables/AADProvisioningLogs.tsv"),
    include_str!("tables/AzureActivity.tsv"),
    include_str!("tables/CommonSecurityLog.tsv"),
    include_str!("tables/ThreatIntelligenceIndicator.tsv"),
];

static TABLES: [OnceLock<KnownTable>; DATA.len()] = [const { OnceLock::new() }; DATA.len()];

/// Returns all known tables. Those of the sign-ins of users come first.
pub fn known_tables() -> impl Iterator<Item = &'static KnownTable> {
    (0..DATA.len()).map(table_at)
}

/// Returns the names of [`known_tables`], without reading their columns.
pub fn known_table_names() -> impl Iterator<Item = &'static str> {
    name_and_category_of_all().iter().map(|(name, _)| *name)
}

/// Returns the known tables as which the records of files are recognised: all but those that are read only by name.
pub fn recognised_tables() -> impl Iterator<Item = &'static KnownTable> {
    (0..DATA.len()).filter(|&index| !is_by_name(DATA[index])).map(table_at)
}

/// Returns the known table that queries call `name` (case-sensitive); None if there is none.
#[must_use]
pub fn known_table(name: &str) -> Option<&'static KnownTable> {
    name_and_category_of_all().iter().position(|name_and_category| name_and_category.0 == name).map(table_at)
}

/// Returns the known table that data call `name`: in any case, and with whitespace around it.
#[must_use]
pub fn table_named(name: &str) -> Option<&'static KnownTable> {
    known_table(name).or_else(|| {
        let name = name.trim_ascii();
        name_and_category_of_all()
            .iter()
            .position(|name_and_category| name_and_category.0.eq_ignore_ascii_case(name))
            .map(table_at)
    })
}

/// Returns the known table of which `name` is a restored copy, as Azure Monitor names such copies:
/// `SigninLogs_case1_RST`. Returns None for other names.
#[must_use]
pub fn restored_from(name: &str) -> Option<&'static KnownTable> {
    let stem = name.trim_ascii().strip_suffix(RESTORED)?;
    // The longest name, if several match.
    let is_copy = |name: &&str| {
        let (own, rest) = stem.split_at_checked(name.len()).unwrap_or_default();
        own.eq_ignore_ascii_case(name) && (rest.is_empty() || rest.starts_with('_'))
    };
    known_table_names().filter(is_copy).max_by_key(|name| name.len()).and_then(known_table)
}

/// True if `name`, which is not a known table, may be a custom table, a restored table or a copy of `table`. Its
/// letters and digits must begin with those of the table, as in `SigninLogs_CL`, `SigninLogs_RST` or `Sign-in Logs`,
/// or only the last one may be missing.
#[must_use]
pub fn resembles(name: &str, table: &KnownTable) -> bool {
    let mut letters = name.bytes().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    let mut own = table.name.bytes().map(|letter| letter.to_ascii_lowercase()).peekable();
    while let Some(letter) = own.next() {
        match letters.next() {
            Some(other) if other == letter => {}
            Some(_) => return false,
            None => return own.peek().is_none(),
        }
    }
    true
}

/// Returns the names that `union` gives to a column that has different types in different tables: one for each type.
#[must_use]
pub fn union_names(column: &str) -> &'static [String] {
    static COLUMNS: OnceLock<HashMap<&str, ColumnTypes>> = OnceLock::new();
    let columns = COLUMNS.get_or_init(|| {
        let mut columns: HashMap<&str, ColumnTypes> = HashMap::new();
        // The rest of each line is not parsed: most scans need these names.
        let lines = DATA.iter().copied().chain([STANDARD]).flat_map(str::lines).filter(|line| !line.starts_with('#'));
        for (column, rest) in lines.filter_map(|line| line.split_once('\t')) {
            let ty = rest.split_once('\t').map_or(rest, |(ty, _)| ty);
            let types = &mut columns.entry(column).or_default().types;
            if !types.contains(&ty) {
                types.push(ty);
            }
        }
        columns
    });
    columns.get_key_value(column).map_or(&[], |(column, types)| types.union_names(column))
}

/// The types of the columns of one name in all tables.
#[derive(Debug, Default)]
struct ColumnTypes {
    /// The types as the data files spell them.
    types: Vec<&'static str>,
    /// The names that `union` gives to the columns, made when they are first needed.
    names: OnceLock<Vec<String>>,
}

impl ColumnTypes {
    fn union_names(&self, column: &str) -> &[String] {
        self.names.get_or_init(|| {
            let types = self.types.iter().map(|ty| Type::from_name(ty).unwrap_or(Type::String).name());
            types.collect::<BTreeSet<&str>>().into_iter().map(|ty| [column, "_", ty].concat()).collect()
        })
    }
}

/// Returns the known table that has this category in diagnostic settings, in any case; None if there is none.
#[must_use]
pub fn table_of_category(category: &str) -> Option<&'static KnownTable> {
    // Microsoft also documents `SignIn`, though records contain `SignInLogs`.
    let category = if category.eq_ignore_ascii_case("SignIn") { "SignInLogs" } else { category };
    let is_named = |(_, own): &(&str, &str)| !own.is_empty() && own.eq_ignore_ascii_case(category);
    name_and_category_of_all().iter().position(is_named).map(table_at)
}

fn table_at(index: usize) -> &'static KnownTable {
    TABLES[index].get_or_init(|| parse(DATA[index]))
}

/// Returns the names and categories in all data files. They are cached, because they are needed for every record.
fn name_and_category_of_all() -> &'static [(&'static str, &'static str); DATA.len()] {
    static ALL: OnceLock<[(&str, &str); DATA.len()]> = OnceLock::new();
    ALL.get_or_init(|| DATA.map(name_and_category))
}

/// Returns the name and the category in a data file.
fn name_and_category(text: &'static str) -> (&'static str, &'static str) {
    let mut cells = header_cells(text);
    let name = cells.next().unwrap_or("");
    (name, cells.find_map(|cell| cell.strip_prefix("category ")).unwrap_or(""))
}

fn header_cells(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().next().unwrap_or("").trim_start_matches("# ").split('\t')
}

/// True for the data file of a table that is read only by name.
fn is_by_name(text: &'static str) -> bool {
    header_cells(text).any(|cell| cell == "by name")
}

/// Returns the main columns in a data file.
fn main_columns(text: &'static str) -> Vec<&'static str> {
    let line = text.lines().find_map(|line| line.strip_prefix("# main\t"));
    line.map_or(Vec::new(), |line| line.split('\t').collect())
}

/// The columns that every table has.
static STANDARD: &str = include_str!("tables/standard.tsv");

/// Returns the lines of a data file that describe columns, each split into its cells.
fn column_lines(text: &'static str) -> impl Iterator<Item = [&'static str; 5]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

fn parse(text: &'static str) -> KnownTable {
    let (name, category) = name_and_category(text);
    let (mut fields, mut columns) = (Vec::<Field>::new(), Vec::new());
    for [column, ty, diagnostic, graph, flat] in column_lines(text).chain(column_lines(STANDARD)) {
        if fields.iter().any(|field| field.name == column) {
            continue;
        }
        fields.push(Field::new(column, Type::from_name(ty).unwrap_or(Type::String)));
        let [diagnostic, graph, flat] = [diagnostic, graph, flat].map(|cell| Mapping::parse(cell, column));
        let portal = graph.limited(&|path| portal::supplies(&path.iter().map(Cow::as_ref).collect::<Vec<_>>()));
        columns.push([diagnostic, graph.clone(), flat.clone(), graph.capitalised(), flat, portal]);
    }
    KnownTable {
        name,
        category,
        by_name: is_by_name(text),
        schema: Schema::new(fields),
        main: main_columns(text),
        columns,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::{ColumnSource, RowKind};
    use super::{
        DATA, STANDARD, column_lines, known_table, known_tables, resembles, restored_from, table_named,
        table_of_category,
    };
    use crate::types::{Field, Type};

    #[test]
    fn every_line_of_data_is_a_column() {
        for (table, text) in known_tables().zip(DATA) {
            let own: Vec<&str> = column_lines(text).map(|cells| cells[0]).collect();
            let lines = text.lines().filter(|line| !line.starts_with('#')).count();
            assert_eq!(own.len(), lines, "{}: a line that is no column", table.name);
            let standard = column_lines(STANDARD).filter(|cells| !own.contains(&cells[0])).count();
            assert_eq!(table.schema.len(), lines + standard, "{}", table.name);
            assert!(lines > 10 && (table.by_name || !table.category.is_empty()), "{}", table.name);
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let ty = line.split('\t').nth(1).unwrap_or("");
                assert!(Type::from_name(ty).is_some(), "{line}");
            }
            let mut names: Vec<_> = table.schema.names().collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.schema.len(), "{}: a name twice", table.name);
            assert_eq!(table.main.first(), Some(&"TimeGenerated"), "{}", table.name);
            let is_column = |name: &&str| table.schema.index_of(name).is_some();
            assert!(table.main.len() > 5 && table.main.iter().all(is_column), "{}: {:?}", table.name, table.main);
        }
    }

    #[test]
    fn restored_tables_are_known_by_their_names() {
        let of = |name: &str| restored_from(name).map(|table| table.name);
        assert_eq!(of("SigninLogs_case1_RST"), Some("SigninLogs"));
        assert_eq!(of("signinlogs_RST"), Some("SigninLogs"));
        assert_eq!(of("OfficeActivity_case1_RST"), Some("OfficeActivity"));
        assert_eq!(of("SigninLogsOld_RST"), None);
        assert_eq!(of("SigninLogs_case1"), None);
        assert_eq!(of("_RST"), None);
    }

    #[test]
    fn a_record_without_a_category_is_of_no_table() {
        assert!(table_of_category("").is_none());
        assert_eq!(table_of_category("provisioninglogs").map(|table| table.name), Some("AADProvisioningLogs"));
        let by_name = |name: &str| known_table(name).is_some_and(|table| table.by_name);
        assert!(by_name("IdentityInfo") && by_name("MicrosoftGraphActivityLogs") && !by_name("AuditLogs"));
    }

    #[test]
    fn columns_are_added_after_the_own_ones() {
        let table = known_table("SigninLogs").expect("known");
        let more = [Field::new("Project_CF", Type::Long)];
        let extended = table.with_columns(&more);
        assert_eq!(extended.schema.index_of("Project_CF"), Some(table.schema.len()));
        assert!(std::ptr::eq(extended, table.with_columns(&more)), "each set once");
        let source = &extended.mapping(table.schema.len(), RowKind::Flat).source;
        assert_eq!(source.to_owned(), ColumnSource::Keys(vec![vec![Cow::Borrowed("Project_CF")]]));
    }

    #[test]
    fn types_follow_the_table() {
        let ty = |table: &str, column: &str| {
            let table = known_table(table).expect("known");
            table.schema.field(table.schema.index_of(column).expect("column")).ty
        };
        assert_eq!(ty("SigninLogs", "DeviceDetail"), Type::Dynamic);
        assert_eq!(ty("AADNonInteractiveUserSignInLogs", "DeviceDetail"), Type::String);
        assert_eq!(ty("AADUserRiskEvents", "Location"), Type::Dynamic);
        assert_eq!(ty("SigninLogs", "ResultType"), Type::String);
    }

    #[test]
    fn data_spells_names_of_tables_in_any_case() {
        let named = |name| table_named(name).map(|table| table.name);
        assert_eq!((named("signinlogs"), named(" SIGNINLOGS\n")), (Some("SigninLogs"), Some("SigninLogs")));
        assert_eq!((named("SigninLog"), named(""), known_table("signinlogs").is_none()), (None, None, true));
        let table = known_table("SigninLogs").expect("known");
        let copies = ["SigninLogs_CL", "SigninLogs_bg_RST", "Sign-in Logs", "SigninLog", "signin_logs_2"];
        assert!(copies.iter().all(|name| resembles(name, table)));
        let others = ["", "Signin", "Heartbeat", "AADNonInteractiveUserSignInLogs", "MySigninLogs"];
        assert!(!others.iter().any(|name| resembles(name, table)));
    }

    #[test]
    fn mappings_are_read() {
        let table = table_of_category("SIGNINLOGS").expect("known");
        assert_eq!(table.name, "SigninLogs");
        let source =
            |column: &str, kind| table.mapping(table.schema.index_of(column).expect("column"), kind).source.clone();
        let path = |keys: &[&'static str]| keys.iter().map(|&key| Cow::Borrowed(key)).collect::<Vec<_>>();
        let keys = |paths: &[&[&'static str]]| ColumnSource::Keys(paths.iter().map(|keys| path(keys)).collect());
        assert_eq!(source("TenantId", RowKind::Diagnostic), ColumnSource::Unsupplied);
        assert_eq!(source("LocationDetails", RowKind::Diagnostic), keys(&[&["properties", "location"]]));
        assert_eq!(
            source("IPAddress", RowKind::Diagnostic),
            keys(&[&["properties", "ipAddress"], &["callerIpAddress"]])
        );
        assert_eq!(source("SourceSystem", RowKind::Graph), ColumnSource::Constant("Azure AD"));
        assert_eq!(source("Type", RowKind::Graph), ColumnSource::Table);
        assert_eq!(
            source("ResultDescription", RowKind::Graph),
            ColumnSource::UnlessZero {
                value: path(&["status", "failureReason"]),
                guard: path(&["status", "errorCode"])
            }
        );
        assert_eq!(source("UserId", RowKind::Flat), keys(&[&["UserId"]]));
        assert_eq!(source("IPAddress", RowKind::Cmdlet), keys(&[&["IpAddress"], &["IPAddress"]]));
        assert_eq!(source("RiskEventTypes_V2", RowKind::Cmdlet), keys(&[&["RiskEventTypesV2"]]));
        assert_eq!(source("Location", RowKind::Cmdlet), keys(&[&["Location", "CountryOrRegion"]]));
        assert_eq!(source("ConditionalAccessPolicies", RowKind::PortalCsv), ColumnSource::Unsupplied);
        assert_eq!(source("DeviceDetail", RowKind::PortalCsv), keys(&[&["deviceDetail"]]));
    }
}
