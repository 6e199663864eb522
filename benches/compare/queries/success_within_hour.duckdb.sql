-- columns: TimeGenerated, UserPrincipalName, IPAddress, ResultType
WITH failures AS (
    SELECT UserPrincipalName, epoch_ns(TimeGenerated) AS FailedAt, IPAddress AS FailedFrom
    FROM {signins}
    WHERE ResultType = '50126'
),
successes AS (
    SELECT UserPrincipalName, epoch_ns(TimeGenerated) AS GrantedAt, IPAddress AS GrantedTo
    FROM {signins}
    WHERE ResultType = '0'
)
SELECT UserPrincipalName, count(*) AS Cases, make_timestamp(min(GrantedAt) // 1000) AS First
FROM successes JOIN failures USING (UserPrincipalName)
WHERE GrantedTo <> FailedFrom AND GrantedAt BETWEEN FailedAt AND FailedAt + 3600000000000
GROUP BY UserPrincipalName
