-- columns: lines
SELECT JSONExtractString(line, 'properties', 'userPrincipalName') AS UserPrincipalName, count() AS SignIns
FROM {lines}
WHERE positionCaseInsensitive(line, '203.0.113.71') > 0
GROUP BY UserPrincipalName
