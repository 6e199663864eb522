-- columns: UserPrincipalName, IPAddress, ResultType
SELECT ResultType, count(*) AS SignIns, count(DISTINCT UserPrincipalName) AS People
FROM {signins}
WHERE IPAddress IN (SELECT '198.18.' || N // 256 || '.' || N % 256 FROM range(50000) AS numbers(N))
GROUP BY ResultType
