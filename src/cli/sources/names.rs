//! Names of tables on the command line and in the catalog file.

use crate::entra::{known_table_names, table_named};

/// The greatest edit distance to a known table that counts as a typing error.
const MAX_TYPO_DISTANCE: usize = 2;

/// Returns the table called `name`: a known table, whose name is case-insensitive, or else a table of the user.
///
/// # Errors
/// The known table of which `name` seems to be a misspelling: queries over that table would not read the files bound to
/// `name`.
pub(in crate::cli) fn table_name(name: &str) -> Result<String, &'static str> {
    if let Some(known) = table_named(name) {
        return Ok(known.name.to_owned());
    }
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    let typo = known_table_names().find(|known| is_typo(&lower, &known.to_ascii_lowercase()));
    typo.map_or(Ok(name.to_owned()), Err)
}

/// True if `name` differs from `known` by a letter or two. A name with a suffix, such as `SigninLogs2` or
/// `SigninLogs_old`, is taken to be another table.
fn is_typo(name: &str, known: &str) -> bool {
    let is_version =
        name.strip_prefix(known).is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_digit()));
    !is_version && strsim::osa_distance(name, known) <= MAX_TYPO_DISTANCE
}

#[cfg(test)]
mod tests {
    use super::table_name;

    #[test]
    fn known_tables_are_recognised_and_misspelt_ones_refused() {
        for (name, expected) in [
            ("SigninLogs", Ok("SigninLogs")),
            ("signinlogs", Ok("SigninLogs")),
            (" SIGNINLOGS ", Ok("SigninLogs")),
            ("auditlogs", Ok("AuditLogs")),
            ("SigninLog", Err("SigninLogs")),
            ("SingInLogs", Err("SigninLogs")),
            ("Signin-Logs", Err("SigninLogs")),
            ("AADRiskyUser", Err("AADRiskyUsers")),
            ("AADNoninteractiveUserSigninLog", Err("AADNonInteractiveUserSignInLogs")),
            ("SigninLogs2", Ok("SigninLogs2")),
            ("SigninLogs_CL", Ok("SigninLogs_CL")),
            ("Logons", Ok("Logons")),
            ("T", Ok("T")),
        ] {
            assert_eq!(table_name(name).as_deref().map_err(|near| *near), expected, "{name}");
        }
    }
}
