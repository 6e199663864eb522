-- columns: TimeGenerated, UserPrincipalName, IPAddress, ResultType
WITH failures AS (
    SELECT UserPrincipalName, TimeGenerated AS FailedAt, IPAddress AS FailedFrom
    FROM {signins}
    WHERE ResultType = '50126'
),
successes AS (
    SELECT UserPrincipalName, TimeGenerated AS GrantedAt, IPAddress AS GrantedTo
    FROM {signins}
    WHERE ResultType = '0'
)
SELECT UserPrincipalName, count() AS Cases, min(GrantedAt) AS First
FROM successes JOIN failures USING (UserPrincipalName)
WHERE GrantedTo <> FailedFrom AND GrantedAt >= FailedAt AND GrantedAt <= FailedAt + INTERVAL 1 HOUR
GROUP BY UserPrincipalName
