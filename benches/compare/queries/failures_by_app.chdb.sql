-- columns: UserPrincipalName, AppDisplayName, ResultType, Location
SELECT AppDisplayName, ResultType, Location, count() AS Attempts, uniqExact(UserPrincipalName) AS People
FROM {signins}
WHERE ResultType <> '0'
GROUP BY AppDisplayName, ResultType, Location
