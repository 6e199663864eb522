-- columns: *
INSERT INTO FUNCTION file('{output}', 'Parquet')
SELECT * FROM {signins} ORDER BY UserPrincipalName, TimeGenerated
