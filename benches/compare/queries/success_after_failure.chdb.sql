-- columns: TimeGenerated, UserPrincipalName, IPAddress, ResultType
SELECT UserPrincipalName, count() AS Cases, min(GrantedAt) AS First
FROM (
    SELECT UserPrincipalName, TimeGenerated AS GrantedAt, IPAddress AS GrantedTo, toStartOfHour(TimeGenerated) AS Hour
    FROM {signins}
    WHERE ResultType = '0'
) AS successes
INNER JOIN (
    SELECT UserPrincipalName, TimeGenerated AS FailedAt, IPAddress AS FailedFrom,
        arrayJoin([toStartOfHour(TimeGenerated), toStartOfHour(TimeGenerated) + INTERVAL 1 HOUR]) AS Hour
    FROM {signins}
    WHERE ResultType = '50126'
) AS failures USING (UserPrincipalName, Hour)
WHERE GrantedTo <> FailedFrom AND GrantedAt >= FailedAt AND GrantedAt <= FailedAt + INTERVAL 1 HOUR
GROUP BY UserPrincipalName
