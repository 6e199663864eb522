//! Tells the key tree which keys are known, so that a scan reports all others.

use super::RecordSelection;
use crate::entra::{KnownTable, RowKind, known_tables, union_names};
use crate::source::text::classify::IGNORED_KEYS;
use crate::source::text::key_tree::KeyTree;

/// Declares the keys that known shapes have, so that only other keys are reported as unknown.
pub(super) fn declare_keys(tree: &mut KeyTree, selection: &RecordSelection) {
    if let RecordSelection::AnyObjects(schema) | RecordSelection::NamedTable(_, schema) = selection {
        for name in schema.names() {
            tree.declare(&[name], false);
        }
        return;
    }
    // Files mix shapes: a key is unknown only if the table has it in none. If records of all tables are selected, the
    // keys of all tables are declared. A Graph object has the properties of every kind of sign-in, null for the others.
    let is_own = |table: &KnownTable| selection.single_table().is_none_or(|own| own.table.name == table.name);
    for table in known_tables().chain(selection.known()) {
        let kinds = RowKind::ALL.into_iter().filter(|kind| kind.is_graph() || is_own(table));
        for index in 0..table.schema.len() {
            for kind in kinds.clone() {
                for path in table.mapping(index, kind).paths() {
                    let depth = if kind == RowKind::Diagnostic && path[0] == "properties" { 2 } else { 1 };
                    tree.declare(&path[..depth.min(path.len())], kind == RowKind::Diagnostic);
                }
            }
            let names = if is_own(table) { union_names(&table.schema.field(index).name) } else { &[] };
            for name in names {
                tree.declare(&[name], false);
            }
        }
    }
    for key in IGNORED_KEYS {
        tree.declare(key, key.len() > 1);
    }
}
