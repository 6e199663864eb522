-- columns: *
SELECT * FROM {signins} LIMIT 10
