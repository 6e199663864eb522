rows = source.signins("TimeGenerated", "ResultType", "IPAddress")
answer = rows.group_by(pl.col("TimeGenerated").dt.truncate("1h").alias("Hour"), "ResultType").agg(
    SignIns=pl.len(), Addresses=pl.col("IPAddress").n_unique()
)
