-- columns: *
SELECT * FROM {signins}
QUALIFY row_number() OVER (PARTITION BY UserPrincipalName ORDER BY TimeGenerated DESC) = 1
ORDER BY TimeGenerated DESC LIMIT 100
