//! The definitions of plugins that count the users who are active in windows of time.

use super::{Plugin, PluginKind};
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param};
use crate::types::Type;

const ID: Param = Param::of("IdColumn", Accepts::Column, "the column of users");
const TIMELINE: Param = Param::of("TimelineColumn", Accepts::Column, "the column of times or numbers");
const START: Param = Param::of("Start", Accepts::Any, "the first time").constant();
const END: Param = Param::of("End", Accepts::Any, "the last time, inclusive").constant();
const WINDOW: Param = Param::of("Window", Accepts::Any, "the length of a window").constant();
const BIN: Param = Param::of("Bin", Accepts::Any, "the length of a row's window").constant();
const LOOKBACK: Param =
    Param::of("LookbackWindow", Accepts::Any, "how long before a time appearances count").constant();
const DIMENSION: Param =
    Param::of("Dimension", Accepts::Column, "a column whose values are analysed separately").any_number();

pub(super) static PLUGINS: &[Plugin] = &[
    Plugin {
        name: "active_users_count",
        summary: "Counts the users who appeared in enough periods of a lookback window.",
        params: &[
            ID,
            TIMELINE,
            START,
            END,
            LOOKBACK,
            Param::of("Period", Accepts::Any, "the length of a period").constant(),
            Param::of("ActivePeriodsCount", Accepts::Any, "the number of periods").constant(),
            BIN,
            DIMENSION,
        ],
        returns: "the start of the window, the dimensions, dcount: long",
        examples: &[Example::new(
            "datatable(u:string, t:long) ['ann', 1, 'bo', 2, 'ann', 3] | evaluate active_users_count(u, t, 0, 9, 5, 1, 2, \
             10) | project dcount",
            "1",
        )],
        kind: PluginKind::ActiveUsersCount,
    },
    Plugin {
        name: "activity_counts_metrics",
        summary: "Counts rows, users, new users and all users so far in each window.",
        params: &[ID, TIMELINE, START, END, WINDOW, DIMENSION],
        returns: "the start of the window, the dimensions, count, dcount, new_dcount, aggregated_dcount: long",
        examples: &[Example::new(
            "datatable(u:string, t:long) ['ann', 1, 'bo', 2, 'ann', 3] | evaluate activity_counts_metrics(u, t, 0, 9, 10) | \
             project dcount",
            "2",
        )],
        kind: PluginKind::ActivityCountsMetrics,
    },
    Plugin {
        name: "activity_engagement",
        summary: "Compares the users of a window with those of a longer window that ends with it.",
        params: &[
            ID,
            TIMELINE,
            Param::of("Start", Accepts::Any, "the first time, or left out together with the last")
                .optional()
                .constant(),
            Param::of("End", Accepts::Any, "the last time, inclusive").optional().constant(),
            Param::of("InnerActivityWindow", Accepts::Any, "the length of the window").optional().constant(),
            Param::of("OuterActivityWindow", Accepts::Any, "the length of the longer window").optional().constant(),
            DIMENSION,
        ],
        returns: "the start of the window, the dimensions, dcount_activities_inner: long, dcount_activities_outer: long, \
                  activity_ratio: real",
        examples: &[Example::new(
            "datatable(u:string, t:long) ['ann', 1, 'bo', 2, 'ann', 12] | evaluate activity_engagement(u, t, 10, 19, 10, 20) \
             | project activity_ratio",
            "0.5",
        )],
        kind: PluginKind::ActivityEngagement,
    },
    Plugin {
        name: "activity_metrics",
        summary: "Compares the users of each window with those of the window before.",
        params: &[
            ID,
            TIMELINE,
            Param::of("Start", Accepts::Any, "the first time, or left out together with the last")
                .optional()
                .constant(),
            Param::of("End", Accepts::Any, "the last time, inclusive").optional().constant(),
            Param::of("Window", Accepts::Any, "the length of a window").optional().constant(),
            DIMENSION,
        ],
        returns: "the start of the window, the dimensions, dcount_values: long, dcount_newvalues: long, retention_rate: \
                  real, churn_rate: real",
        examples: &[Example::new(
            "datatable(u:string, t:long) ['ann', 1, 'bo', 2, 'ann', 12] | evaluate activity_metrics(u, t, 0, 19, 10) | where \
             t == 10 | project churn_rate",
            "0.5",
        )],
        kind: PluginKind::ActivityMetrics,
    },
    Plugin {
        name: "dcount_intersect",
        summary: "Returns for each set of hll() the number of values that it has in common with all sets before it.",
        params: &[
            Param::new("hll_1", Type::Dynamic, "the result of hll()"),
            Param::new("hll_i", Type::Dynamic, "further results of hll(), at most 16 in all").repeated(),
        ],
        returns: "the columns of the input, and s0, s1, ...: long",
        examples: &[Example::new(
            "range x from 1 to 9 step 1 | summarize a = hll(x), b = hll(x % 4) | evaluate dcount_intersect(a, b) | \
             project s1",
            "3",
        )],
        kind: PluginKind::DcountIntersect,
    },
    Plugin {
        name: "funnel_sequence_completion",
        summary: "Counts in each window the users who reach each state of a sequence.",
        params: &[
            ID,
            TIMELINE,
            START,
            END,
            Param::of("Step", Accepts::Any, "the length of a window").constant(),
            Param::of("StateColumn", Accepts::Column, "the column of states"),
            Param::new("Sequence", Type::Dynamic, "an array of the states in order").constant(),
            Param::new("MaxSequenceStepWindows", Type::Dynamic, "an array of the longest times between two steps")
                .constant(),
        ],
        returns: "the start of the window, the state, Period, dcount: long",
        examples: &[Example::new(
            "datatable(u:string, t:long, s:string) ['ann', 1, 'a', 'bo', 2, 'a', 'ann', 3, 'b'] | evaluate \
             funnel_sequence_completion(u, t, 0, 9, 10, s, dynamic(['a', 'b']), dynamic([5])) | where s == 'a' | \
             project dcount",
            "2",
        )],
        kind: PluginKind::FunnelCompletion,
    },
    Plugin {
        name: "new_activity_metrics",
        summary: "Compares the users who were first seen in a window with those of all later windows.",
        params: &[
            ID,
            TIMELINE,
            START,
            END,
            WINDOW,
            Param::of("Cohort", Accepts::Any, "the start of the only window whose new users are followed")
                .optional()
                .constant(),
            DIMENSION,
            Param::of("Lookback", Accepts::Table, "a table of users who are not new").optional(),
        ],
        returns: "the starts of both windows, the dimensions, dcount_new_values: long, dcount_retained_values: long, \
                  dcount_churn_values: long, retention_rate: real, churn_rate: real",
        examples: &[Example::new(
            "datatable(u:string, t:long) ['ann', 1, 'bo', 2, 'ann', 12] | evaluate new_activity_metrics(u, t, 0, 19, 10, 0) \
             | where to_t == 10 | project dcount_retained_values",
            "1",
        )],
        kind: PluginKind::NewActivityMetrics,
    },
    Plugin {
        name: "session_count",
        summary: "Counts sessions: a user begins one after not appearing for a while.",
        params: &[ID, TIMELINE, START, END, BIN, LOOKBACK, DIMENSION],
        returns: "the start of the window, the dimensions, count_sessions: long",
        examples: &[Example::new(
            "datatable(u:string, t:long) ['ann', 1, 'ann', 2, 'ann', 9] | evaluate session_count(u, t, 0, 9, 10, 5) | project \
             count_sessions",
            "2",
        )],
        kind: PluginKind::SessionCount,
    },
    Plugin {
        name: "sliding_window_counts",
        summary: "Counts rows and users in the lookback window that ends with each bin.",
        params: &[ID, TIMELINE, START, END, LOOKBACK, BIN, DIMENSION],
        returns: "the start of the bin, the dimensions, Count: long, Dcount: long",
        examples: &[Example::new(
            "datatable(u:string, t:long) ['ann', 1, 'bo', 2, 'ann', 3] | evaluate sliding_window_counts(u, t, 0, 3, 2, 1) | \
             where t == 2 | project Dcount",
            "2",
        )],
        kind: PluginKind::SlidingWindowCounts,
    },
];
