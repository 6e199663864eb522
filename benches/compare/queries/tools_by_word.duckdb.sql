-- columns: UserPrincipalName, UserAgent
SELECT UserAgent, count(*) AS SignIns, count(DISTINCT UserPrincipalName) AS People
FROM {signins}
WHERE regexp_matches(UserAgent, '(?i)\b(' || (SELECT string_agg('scanner' || N, '|') FROM range(1, 500) AS numbers(N)) || '|requests)\b')
GROUP BY UserAgent
