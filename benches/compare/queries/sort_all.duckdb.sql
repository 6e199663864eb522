-- columns: *
COPY (SELECT * FROM {signins} ORDER BY UserPrincipalName, TimeGenerated) TO '{output}' (FORMAT parquet, COMPRESSION zstd)
