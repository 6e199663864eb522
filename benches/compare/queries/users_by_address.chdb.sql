-- columns: UserPrincipalName, IPAddress
SELECT IPAddress, groupUniqArray(UserPrincipalName) AS People
FROM {signins}
GROUP BY IPAddress
HAVING length(People) >= 30
