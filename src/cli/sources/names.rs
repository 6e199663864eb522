//! Names of tables that are written outside of queries: on the command line and in the catalog file.

use crate::source::shape::{known_tables, table_named};

/// Edits that make one name of another and are taken for a slip.
const SLIP: usize = 2;

/// The table that a user means by `name`: a known table in any case of letters, else a table of the user's own.
///
/// # Errors
/// The known table that the name nearly is: queries over that table would not read what is bound to such a name.
pub(in crate::cli) fn table_name(name: &str) -> Result<String, &'static str> {
    if let Some(known) = table_named(name) {
        return Ok(known.name.to_owned());
    }
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    let slip = known_tables().map(|table| table.name).find(|known| is_slip(&lower, &known.to_ascii_lowercase()));
    slip.map_or(Ok(name.to_owned()), Err)
}

/// True for a name with another letter or two. One with a number or a part of its own, such as `SigninLogs2` or
/// `SigninLogs_old`, is meant to be another.
fn is_slip(name: &str, known: &str) -> bool {
    let is_version =
        name.strip_prefix(known).is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_digit()));
    !is_version && strsim::osa_distance(name, known) <= SLIP
}

#[cfg(test)]
mod tests {
    use super::table_name;

    #[test]
    fn known_tables_are_met_and_nearly_known_ones_refused() {
        for (name, wanted) in [
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
            assert_eq!(table_name(name).as_deref().map_err(|near| *near), wanted, "{name}");
        }
    }
}
