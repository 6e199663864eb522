-- columns: TimeGenerated, UserPrincipalName, IPAddress, ResultType
SELECT IPAddress, make_timestamp(Start * 600000000) AS Start, Attempts, len(Names) AS People, Names
FROM (
    SELECT IPAddress, epoch_ns(TimeGenerated) // 600000000000 AS Start,
        count(*) AS Attempts, list(DISTINCT UserPrincipalName) AS Names
    FROM {signins}
    WHERE ResultType IN ('50126', '50053')
    GROUP BY ALL
)
WHERE len(Names) >= 5
