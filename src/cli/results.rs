//! The results of a query that returns several: their names, and the selection with `--result`.

use crate::diagnostic::{Error, Result};
use crate::engine::Prepared;

/// The result that `choice` names, or all results without one.
///
/// # Errors
/// No result has this name or number.
pub(super) fn chosen(mut results: Vec<Prepared>, choice: Option<&str>) -> Result<Vec<Prepared>> {
    let Some(choice) = choice else { return Ok(results) };
    let by_name = results.iter().position(|result| result.name == choice);
    let by_number = || choice.parse::<usize>().ok()?.checked_sub(1).filter(|index| *index < results.len());
    match by_name.or_else(by_number) {
        Some(index) => {
            // The first result has the warnings about the query.
            let warnings = std::mem::take(&mut results[0].warnings);
            let mut result = results.swap_remove(index);
            result.warnings = warnings;
            Ok(vec![result])
        }
        None => Err(Error::Usage(format!("--result {choice}: the query returns {}", listed(&results)))),
    }
}

/// The error of a command or format that has room for one result.
pub(super) fn choose_one(results: &[Prepared]) -> Error {
    Error::Usage(format!(
        "the query returns {}: choose one with --result NAME or --result NUMBER; -o table, md, line and la-api show all \
         of them",
        listed(results)
    ))
}

/// `2 results (1 Failed, 2 Users)`.
fn listed(results: &[Prepared]) -> String {
    let names: Vec<String> =
        results.iter().enumerate().map(|(index, result)| format!("{} {}", index + 1, result.name)).collect();
    let count = results.len();
    format!("{count} result{} ({})", if count == 1 { "" } else { "s" }, names.join(", "))
}
