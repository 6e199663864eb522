-- columns: *
SELECT UserPrincipalName, count(*) AS SignIns
FROM {signins}
WHERE contains(lower(concat_ws(chr(10), *COLUMNS(*))), '203.0.113.71')
GROUP BY UserPrincipalName
