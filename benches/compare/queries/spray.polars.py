rows = source.signins("TimeGenerated", "UserPrincipalName", "IPAddress", "ResultType")
answer = (
    rows.filter(pl.col("ResultType").is_in(["50126", "50053"]))
    .group_by("IPAddress", pl.col("TimeGenerated").dt.truncate("10m").alias("Start"))
    .agg(Attempts=pl.len(), People=pl.col("UserPrincipalName").n_unique(), Names=pl.col("UserPrincipalName").unique())
    .filter(pl.col("People") >= 5)
)
