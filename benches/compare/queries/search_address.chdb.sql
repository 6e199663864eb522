-- columns: *
SELECT UserPrincipalName, count() AS SignIns
FROM {signins}
WHERE arrayExists(text -> positionCaseInsensitive(text, '203.0.113.71') > 0, [{texts}])
GROUP BY UserPrincipalName
