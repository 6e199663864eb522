-- columns: UserPrincipalName, IPAddress, ResultType
SELECT ResultType, count() AS SignIns, uniqExact(UserPrincipalName) AS People
FROM {signins}
WHERE IPAddress IN (SELECT concat('198.18.', toString(intDiv(number, 256)), '.', toString(number % 256)) FROM numbers(50000))
GROUP BY ResultType
