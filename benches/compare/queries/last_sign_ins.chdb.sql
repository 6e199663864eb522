-- columns: *
SELECT * FROM (SELECT * FROM {signins} ORDER BY TimeGenerated DESC LIMIT 1 BY UserPrincipalName)
ORDER BY TimeGenerated DESC LIMIT 100
