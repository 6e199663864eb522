-- columns: UserPrincipalName, AppDisplayName, ResultType, Location
SELECT AppDisplayName, ResultType, Location, count(*) AS Attempts, count(DISTINCT UserPrincipalName) AS People
FROM {signins}
WHERE ResultType <> '0'
GROUP BY ALL
