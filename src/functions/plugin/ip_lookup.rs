//! ipv4_lookup and ipv6_lookup: match addresses with the networks in a table in memory.

use std::collections::HashMap;

use super::IpVersion;
use crate::diagnostic::Result;
use crate::functions::scalar::{ipv4, ipv6};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, Field, dynamic};

/// An address of either version, and the length of its prefix in bits. The bits after the prefix are zero. An IPv4
/// address is in the highest 32 bits.
pub(crate) type AddressPrefix = (u128, u32);

/// A lookup table, with its networks prepared for the search.
#[derive(Debug)]
pub struct IpLookup {
    version: IpVersion,
    /// The rows of the lookup table, and a last row of nulls for addresses without a match.
    rows: Batch,
    fields: Vec<Field>,
    /// True if input rows without a match are kept.
    keeps_unmatched: bool,
    /// For each length of a prefix, the networks of that length and their rows in the lookup table.
    networks: Vec<(u32, HashMap<u128, Vec<u32>>)>,
    /// The extra keys of each row of the lookup table.
    extra_keys: Vec<String>,
}

impl IpLookup {
    /// Returns a lookup in `rows`, which have the columns `fields` and end with a row of nulls. The column `key` has
    /// the networks. A row matches only if its columns `extra` equal the arguments after the address.
    #[must_use]
    pub fn new(
        version: IpVersion,
        rows: Batch,
        fields: Vec<Field>,
        key: usize,
        extra: &[usize],
        keeps_unmatched: bool,
    ) -> Self {
        let mut networks: Vec<(u32, HashMap<u128, Vec<u32>>)> = Vec::new();
        let keys = rows.column(key);
        for row in 0..rows.rows().saturating_sub(1) {
            let parsed = keys.text_at(row).and_then(|text| address_prefix(version, text));
            let (Some((bits, prefix)), Ok(number)) = (parsed, u32::try_from(row)) else { continue };
            let of_length = match networks.iter_mut().position(|(length, _)| *length == prefix) {
                Some(position) => position,
                None => {
                    networks.push((prefix, HashMap::new()));
                    networks.len() - 1
                }
            };
            networks[of_length].1.entry(bits).or_default().push(number);
        }
        let extra_keys = (0..rows.rows()).map(|row| key_text(&rows, extra, row)).collect();
        Self { version, rows, fields, keeps_unmatched, networks, extra_keys }
    }

    /// Appends the rows of the lookup table to `found` whose network matches the address `text` and whose extra keys
    /// equal `extra`, in the order of the table.
    fn matches(&self, text: &str, extra: &str, found: &mut Vec<u32>) {
        let Some((bits, prefix)) = address_prefix(self.version, text) else { return };
        for (length, networks) in &self.networks {
            // Two networks match if the longer one is inside the shorter one.
            if *length <= prefix {
                found.extend(networks.get(&masked(bits, *length)).into_iter().flatten());
            } else {
                let inside = networks.iter().filter(|(network, _)| masked(**network, prefix) == bits);
                found.extend(inside.flat_map(|(_, rows)| rows));
            }
        }
        found.retain(|row| self.extra_keys.get(*row as usize).is_some_and(|key| key == extra));
        found.sort_unstable();
    }
}

impl TableFunction for IpLookup {
    fn name(&self) -> &'static str {
        if self.version == IpVersion::V4 { "ipv4_lookup" } else { "ipv6_lookup" }
    }

    fn fields(&self) -> Vec<Field> {
        self.fields.clone()
    }

    fn is_row_wise(&self) -> bool {
        true
    }

    /// Looks up the addresses in the first argument; the other arguments are the extra keys.
    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let extra: Vec<usize> = (1..arguments.columns().len()).collect();
        let (mut input_rows, mut lookup_rows, mut found) = (Vec::new(), Vec::<u32>::new(), Vec::new());
        let nulls = u32::try_from(self.rows.rows().saturating_sub(1)).unwrap_or(u32::MAX);
        for row in 0..arguments.rows() {
            found.clear();
            if let Some(text) = arguments.column(0).text_at(row) {
                self.matches(text, &key_text(arguments, &extra, row), &mut found);
            }
            if found.is_empty() && self.keeps_unmatched {
                found.push(nulls);
            }
            input_rows.extend(std::iter::repeat_n(u32::try_from(row).unwrap_or(u32::MAX), found.len()));
            lookup_rows.extend(&found);
        }
        let columns = self.rows.take(&lookup_rows.into())?.columns().to_vec();
        Ok(TableOutput::of_rows(input_rows, columns))
    }
}

fn key_text(batch: &Batch, columns: &[usize], row: usize) -> String {
    let mut key = String::new();
    columns.iter().for_each(|column| dynamic::write_row(batch.column(*column), row, &mut key));
    key
}

fn masked(bits: u128, prefix: u32) -> u128 {
    bits & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

fn address_prefix(version: IpVersion, text: &str) -> Option<AddressPrefix> {
    match version {
        IpVersion::V4 => ipv4::address_prefix(text).map(|(bits, prefix)| (u128::from(bits) << 96, prefix)),
        IpVersion::V6 => ipv6::address_prefix(text),
    }
}
