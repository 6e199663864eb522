-- columns: UserPrincipalName, IPAddress
SELECT IPAddress, list(DISTINCT UserPrincipalName) AS People
FROM {signins}
GROUP BY IPAddress
HAVING len(People) >= 30
