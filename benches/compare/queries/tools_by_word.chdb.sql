-- columns: UserPrincipalName, UserAgent
SELECT UserAgent, count() AS SignIns, uniqExact(UserPrincipalName) AS People
FROM {signins}
WHERE match(UserAgent, concat('(?i)\\b(', arrayStringConcat(arrayMap(n -> concat('scanner', toString(n)), range(1, 500)), '|'), '|requests)\\b'))
GROUP BY UserAgent
