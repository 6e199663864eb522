-- columns: TimeGenerated, UserPrincipalName, IPAddress, ResultType
SELECT TimeGenerated, UserPrincipalName, IPAddress, ResultType
FROM {signins}
WHERE TimeGenerated >= '2026-03-04 00:00:00' AND TimeGenerated < '2026-03-05 00:00:00'
    AND regexp_matches(UserPrincipalName, '(?i)(^|[^a-z0-9])admin([^a-z0-9]|$)')
