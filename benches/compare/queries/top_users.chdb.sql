-- columns: UserPrincipalName
SELECT UserPrincipalName, count(*) AS SignIns
FROM {signins}
GROUP BY UserPrincipalName
ORDER BY SignIns DESC
LIMIT 10
