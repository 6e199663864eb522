-- columns: TimeGenerated, UserPrincipalName, IPAddress, ResultType
SELECT IPAddress, toStartOfTenMinutes(TimeGenerated) AS Start, count() AS Attempts,
    length(Names) AS People, groupUniqArray(UserPrincipalName) AS Names
FROM {signins}
WHERE ResultType IN ('50126', '50053')
GROUP BY IPAddress, Start
HAVING People >= 5
