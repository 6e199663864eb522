-- columns: TimeGenerated, ResultType, IPAddress
-- Whole numbers are quicker to group by than what time_bucket makes of a time with zone.
SELECT make_timestamp(Hour * 3600000000) AS Hour, ResultType, SignIns, Addresses
FROM (
    SELECT epoch_ns(TimeGenerated) // 3600000000000 AS Hour, ResultType,
        count(*) AS SignIns, count(DISTINCT IPAddress) AS Addresses
    FROM {signins}
    GROUP BY ALL
)
