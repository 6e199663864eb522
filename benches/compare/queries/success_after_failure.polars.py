rows = source.signins("TimeGenerated", "UserPrincipalName", "IPAddress", "ResultType")
hour = pl.col("TimeGenerated").dt.truncate("1h")
failures = (
    rows.filter(pl.col("ResultType") == "50126")
    .select(
        "UserPrincipalName",
        FailedAt="TimeGenerated",
        FailedFrom="IPAddress",
        Hour=pl.concat_list(hour, hour + pl.duration(hours=1)),
    )
    .explode("Hour")
)
successes = rows.filter(pl.col("ResultType") == "0").select(
    "UserPrincipalName", GrantedAt="TimeGenerated", GrantedTo="IPAddress", Hour=hour
)
answer = (
    successes.join(failures, on=["UserPrincipalName", "Hour"])
    .filter(
        pl.col("GrantedTo") != pl.col("FailedFrom"),
        pl.col("GrantedAt") >= pl.col("FailedAt"),
        pl.col("GrantedAt") <= pl.col("FailedAt") + pl.duration(hours=1),
    )
    .group_by("UserPrincipalName")
    .agg(Cases=pl.len(), First=pl.col("GrantedAt").min())
)
