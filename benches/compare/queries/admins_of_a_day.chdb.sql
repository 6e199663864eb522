-- columns: TimeGenerated, UserPrincipalName, IPAddress, ResultType
SELECT TimeGenerated, UserPrincipalName, IPAddress, ResultType
FROM {signins}
WHERE TimeGenerated >= toDateTime64('2026-03-04 00:00:00', 6, 'UTC')
    AND TimeGenerated < toDateTime64('2026-03-05 00:00:00', 6, 'UTC')
    AND hasTokenCaseInsensitive(UserPrincipalName, 'admin')
