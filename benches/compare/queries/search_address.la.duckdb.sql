-- columns: lines
SELECT json ->> '$.UserPrincipalName' AS UserPrincipalName, count(*) AS SignIns
FROM {lines}
WHERE contains(lower(json::VARCHAR), '203.0.113.71')
GROUP BY ALL
