//! The definitions of plugins that change the shape of a table, or add the columns of another one.

use super::{IpVersion, Plugin, PluginKind};
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param};
use crate::types::Type;

const LOOKUP_TABLE: Param = Param::of("LookupTable", Accepts::Table, "the table with the networks");
const LOOKUP_KEY: Param =
    Param::of("LookupKey", Accepts::Column, "the column of the lookup table with addresses or networks");

pub(super) static PLUGINS: &[Plugin] = &[
    Plugin {
        name: "bag_unpack",
        summary: "Replaces a column of property bags by one column for each property.",
        params: &[
            Param::of("Column", Accepts::Column, "the column of property bags"),
            Param::new("OutputColumnPrefix", Type::String, "what the names of the new columns begin with")
                .optional()
                .constant(),
            Param::new(
                "columnsConflict",
                Type::String,
                "what happens to a property with the name of a column: `error` (the default), `replace_source` or \
                 `keep_source`",
            )
            .optional()
            .constant(),
            Param::new("ignoredProperties", Type::Dynamic, "an array of the properties to leave out")
                .optional()
                .constant(),
        ],
        returns: "the other columns, then one for each property, by name",
        examples: &[Example::new(
            "print d = dynamic({'City': 'Oslo'}) | evaluate bag_unpack(d) | project City",
            "Oslo",
        )],
        kind: PluginKind::BagUnpack,
    },
    Plugin {
        name: "ipv4_lookup",
        summary: "Adds the columns of the rows of a lookup table whose network contains an IPv4 address.",
        params: &[
            LOOKUP_TABLE,
            Param::of("SourceIPv4Key", Accepts::Column, "the column of the input with addresses"),
            LOOKUP_KEY,
            Param::of("ExtraKey", Accepts::Column, "a column of both tables whose values must be equal").any_number(),
            Param::new("return_unmatched", Type::Bool, "true to keep rows without a match, by name or last")
                .optional()
                .constant(),
        ],
        returns: "the columns of the input, then those of the lookup table",
        examples: &[Example::new(
            "let N = datatable(net:string, name:string) ['10.1.0.0/16', 'lab']; print ip = '10.1.2.3' | evaluate \
             ipv4_lookup(N, ip, net) | project name",
            "lab",
        )],
        kind: PluginKind::IpLookup(IpVersion::V4),
    },
    Plugin {
        name: "ipv6_lookup",
        summary: "Adds the columns of the rows of a lookup table whose network contains an IPv6 address.",
        params: &[
            LOOKUP_TABLE,
            Param::of("SourceIPv6Key", Accepts::Column, "the column of the input with addresses"),
            LOOKUP_KEY,
            Param::new("return_unmatched", Type::Bool, "true to keep rows without a match").optional().constant(),
        ],
        returns: "the columns of the lookup table, then those of the input",
        examples: &[Example::new(
            "let N = datatable(net:string, name:string) ['2001:db8::/32', 'lab']; print ip = '2001:db8::7' | evaluate \
             ipv6_lookup(N, ip, net) | project name",
            "lab",
        )],
        kind: PluginKind::IpLookup(IpVersion::V6),
    },
    Plugin {
        name: "narrow",
        summary: "Returns one row for each cell of the input.",
        params: &[],
        returns: "Row: long, Column: string, Value: string",
        examples: &[Example::new(
            "print City = 'Oslo' | evaluate narrow() | project strcat(Column, Value)",
            "CityOslo",
        )],
        kind: PluginKind::Narrow,
    },
    Plugin {
        name: "pivot",
        summary: "Makes one column for each distinct value of a column, with an aggregate of the rows that have it.",
        params: &[
            Param::of("pivotColumn", Accepts::Column, "the column whose values become columns"),
            Param::of("aggregationFunction", Accepts::Any, "a call of an aggregate; `count()` if left out").optional(),
            Param::of("columnName", Accepts::Column, "a column to group by; all other columns if left out")
                .any_number(),
        ],
        returns: "the grouping columns, then one for each value",
        examples: &[Example::new(
            "datatable(User:string, Result:string) ['ann', 'ok', 'ann', 'ok', 'ann', 'failed'] | evaluate pivot(Result) | \
             project ok",
            "2",
        )],
        kind: PluginKind::Pivot,
    },
    Plugin {
        name: "schema_merge",
        summary: "Merges schemas that `getschema` returned into one.",
        params: &[Param::new(
            "PreserveOrder",
            Type::Bool,
            "false to allow a column at different positions; true is the default",
        )
        .optional()
        .constant()],
        returns: "ColumnName: string, ColumnOrdinal: long, DataType: string, ColumnType: string",
        examples: &[Example::new(
            "print City = 'Oslo' | getschema | evaluate schema_merge() | project ColumnType",
            "string",
        )],
        kind: PluginKind::SchemaMerge,
    },
];
