-- columns: *
SELECT * FROM {signins} ORDER BY TimeGenerated DESC LIMIT 100
