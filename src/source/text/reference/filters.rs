//! Random predicates, and the exact test of them on decoded values.

use std::collections::BTreeMap;

use arrow::array::BooleanArray;
use rand::RngExt;

use super::records::{RecordGenerator, TEXTS};
use crate::diagnostic::Result;
use crate::entra::KnownTable;
use crate::scan::{Comparison, Predicate, RowFilter, ScanColumn};
use crate::types::{Batch, Type, Value, datetime};

/// A filter that tests a predicate on the decoded values of each row.
#[derive(Debug)]
pub(super) struct ExactFilter {
    pub columns: Vec<ScanColumn>,
    pub predicate: Predicate,
}

impl RowFilter for ExactFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        let row = |row: usize| -> BTreeMap<usize, Value> {
            self.columns.iter().zip(columns.columns()).map(|(at, column)| (at.column(), column.value(row))).collect()
        };
        Ok((0..columns.rows()).map(|index| Some(holds(&self.predicate, &row(index)))).collect())
    }
}

pub(super) fn holds(predicate: &Predicate, row: &BTreeMap<usize, Value>) -> bool {
    match predicate {
        Predicate::Compare { column, comparison: Comparison::Equal, value } => row[column] == *value,
        Predicate::Compare { column, value: Value::Datetime(bound), .. } => {
            matches!(row[column], Value::Datetime(ticks) if ticks >= *bound)
        }
        Predicate::Compare { .. } => panic!("not generated"),
        Predicate::OneOf { column, values, case_sensitive } => {
            let fold = |value: &Value| if *case_sensitive { value.to_text() } else { value.to_text().to_lowercase() };
            values.iter().any(|value| fold(value) == fold(&row[column]))
        }
        Predicate::Contains { column, needle, case_sensitive } => {
            let text = row[column].to_text();
            if *case_sensitive {
                text.contains(needle.as_str())
            } else {
                text.to_lowercase().contains(&needle.to_lowercase())
                    || text.to_uppercase().contains(&needle.to_uppercase())
            }
        }
        Predicate::All(list) => list.iter().all(|predicate| holds(predicate, row)),
        Predicate::Any(list) => list.iter().any(|predicate| holds(predicate, row)),
    }
}

pub(super) fn predicate(generator: &mut RecordGenerator, table: &KnownTable, depth: u32) -> Predicate {
    let columns = [
        "UserPrincipalName",
        "AppDisplayName",
        "ResultType",
        "Location",
        "Type",
        "Category",
        "IPAddress",
        "DeviceDetail",
        "ConditionalAccessPolicies",
    ];
    let name = generator.pick(&columns);
    let column = table.schema.index_of(name).expect("a column");
    let text = generator.pick(&TEXTS);
    let is_string = table.schema.field(column).ty == Type::String;
    let case_sensitive = generator.one_in(2);
    match generator.random.random_range(0..8) {
        0..3 if is_string => Predicate::Compare { column, comparison: Comparison::Equal, value: Value::string(text) },
        3..5 if is_string => {
            let values = if generator.one_in(3) {
                ["bg-admin-01@contoso.com", "bg-admin-02@contoso.com", "München"]
            } else {
                [text, generator.pick(&TEXTS), "signinlogs"]
            };
            let values = values.map(Value::string).to_vec();
            Predicate::OneOf { column, values, case_sensitive }
        }
        5 if depth == 0 => {
            let time = table.schema.index_of("TimeGenerated").expect("a column");
            let value = Value::Datetime(datetime::parse("2026-03-02T09:07:30Z").expect("a time"));
            let after = Predicate::Compare { column: time, comparison: Comparison::GreaterOrEqual, value };
            Predicate::All(vec![after, predicate(generator, table, 1)])
        }
        6 if depth == 0 => Predicate::Any(vec![predicate(generator, table, 1), predicate(generator, table, 1)]),
        _ => Predicate::Contains { column, needle: text.to_owned(), case_sensitive },
    }
}
