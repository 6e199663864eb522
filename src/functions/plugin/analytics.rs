//! The definitions of plugins that follow rows over time.

use super::{Plugin, PluginKind};
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param};
use crate::types::Type;

const TIMELINE: Param = Param::of("TimelineColumn", Accepts::Column, "the column of times or numbers");
const DIMENSION: Param =
    Param::of("Dimension", Accepts::Column, "a column whose values are analysed separately").any_number();

pub(super) static PLUGINS: &[Plugin] = &[
    Plugin {
        name: "rolling_percentile",
        summary: "Returns for each bin of a column the percentile of the values in a window of bins that ends with it.",
        params: &[
            Param::of("ValueColumn", Accepts::Column, "the column of numbers"),
            Param::new("Percentile", Type::Real, "the percentile, from 0 to 100").constant(),
            Param::of("IndexColumn", Accepts::Column, "the column of times or numbers that is divided into bins"),
            Param::of("BinSize", Accepts::Any, "the size of a bin").constant(),
            Param::new("BinsPerWindow", Type::Long, "the number of bins of a window").constant(),
            DIMENSION,
        ],
        returns: "the bin, the dimensions, and the percentile",
        examples: &[Example::new(
            "range t from 1 to 9 step 1 | evaluate rolling_percentile(t, 50, t, 10, 2) | project \
             rolling_2_percentile_t_50",
            "5",
        )],
        kind: PluginKind::RollingPercentile,
    },
    Plugin {
        name: "rows_near",
        summary: "Returns the rows near those for which a condition is true.",
        params: &[
            Param::new("Condition", Type::Bool, "a condition on the input"),
            Param::new("NumRows", Type::Long, "the number of rows before and after").constant(),
            Param::new("NumRowsAfter", Type::Long, "the number of rows after, if it differs").optional().constant(),
        ],
        returns: "the columns of the input",
        examples: &[Example::new("range n from 1 to 9 step 1 | evaluate rows_near(n == 5, 1) | count", "3")],
        kind: PluginKind::RowsNear,
    },
    Plugin {
        name: "sequence_detect",
        summary: "Finds sequences of rows that satisfy one condition after the other.",
        params: &[
            TIMELINE,
            Param::of("MaxSequenceStepWindow", Accepts::Any, "the longest time between two steps").constant(),
            Param::of("MaxSequenceSpan", Accepts::Any, "the longest time between the first and the last step")
                .constant(),
            Param::new("Expr", Type::Bool, "the condition of a step, usually with a name: `login = Code == 0`")
                .repeated(),
        ],
        returns: "the columns after the conditions, the time of each step, and the duration",
        examples: &[Example::new(
            "datatable(t:datetime, what:string) [datetime(2026-03-01 10:00), 'in', datetime(2026-03-01 10:05), 'out'] | \
             evaluate sequence_detect(t, 1h, 1h, a = what == 'in', b = what == 'out') | project Duration",
            "00:05:00",
        )],
        kind: PluginKind::SequenceDetect,
    },
];
