//! The definitions of plugins that find segments of rows.

use super::{Plugin, PluginKind};
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param};
use crate::types::Type;

const WEIGHT: Param =
    Param::of("WeightColumn", Accepts::Column, "a column with the number of rows that a row stands for").optional();
const WILDCARD: Param =
    Param::of("CustomWildcard", Accepts::Any, "what stands for any value, by type; null or empty if left out")
        .any_number();

pub(super) static PLUGINS: &[Plugin] = &[
    Plugin {
        name: "autocluster",
        summary: "Finds a few segments of rows that share many values; Kusto, which begins at random, may find others.",
        params: &[
            Param::new(
                "SizeWeight",
                Type::Real,
                "how much the size of a segment counts, and not the number of shared values: 0 to 1, 0.5 if left out",
            )
            .optional()
            .constant(),
            WEIGHT,
            Param::new("NumSeeds", Type::Long, "the number of rows to begin with, 1 to 1,000; 25 if left out")
                .optional()
                .constant(),
            WILDCARD,
        ],
        returns: "SegmentId: long, Count: long, Percent: real, and the columns of the input",
        examples: &[Example::new(
            "datatable(user:string, app:string) ['ann', 'mail', 'bo', 'mail', 'cy', 'mail'] | evaluate autocluster() | \
             project strcat(app, user, Count)",
            "mail3",
        )],
        kind: PluginKind::AutoCluster,
    },
    Plugin {
        name: "basket",
        summary: "Finds combinations of values that many rows have.",
        params: &[
            Param::new("Threshold", Type::Real, "the smallest part of the rows, from 0.015 to 1; 0.05 if left out")
                .optional()
                .constant(),
            WEIGHT,
            Param::new(
                "MaxDimensions",
                Type::Long,
                "the maximum number of values that determine a combination; 5 if left out",
            )
            .optional()
            .constant(),
            WILDCARD,
        ],
        returns: "SegmentId: long, Count: long, Percent: real, and the columns of the input",
        examples: &[Example::new(
            "datatable(user:string, app:string) ['ann', 'mail', 'bo', 'mail'] | evaluate basket(0.6) | project \
             strcat(app, Percent)",
            "mail100.0",
        )],
        kind: PluginKind::Basket,
    },
    Plugin {
        name: "diffpatterns",
        summary: "Finds combinations of values that are more frequent in one of two sets of rows; Kusto, whose \
                  selection is not published, may find others.",
        params: &[
            Param::of("SplitColumn", Accepts::Column, "the column that divides the rows into two sets"),
            Param::of("SplitValueA", Accepts::Any, "its value in the rows of the first set").constant(),
            Param::of("SplitValueB", Accepts::Any, "its value in the rows of the second set").constant(),
            WEIGHT,
            Param::new(
                "Threshold",
                Type::Real,
                "the smallest difference of the parts of the sets, from 0.015 to 1; 0.05 if left out",
            )
            .optional()
            .constant(),
            Param::new(
                "MaxDimensions",
                Type::Long,
                "the maximum number of values that determine a combination; unlimited if left out",
            )
            .optional()
            .constant(),
            WILDCARD,
        ],
        returns: "SegmentId, CountA, CountB: long, PercentA, PercentB, PercentDiffAB: real, and the columns of the input",
        examples: &[Example::new(
            "datatable(ok:bool, app:string) [true, 'mail', true, 'chat', false, 'chat'] | evaluate diffpatterns(ok, \
             true, false) | project strcat(app, PercentDiffAB) | take 1",
            "mail50.0",
        )],
        kind: PluginKind::DiffPatterns,
    },
];
