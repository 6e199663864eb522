rows = source.signins("TimeGenerated", "UserPrincipalName", "IPAddress", "ResultType")
failures = rows.filter(pl.col("ResultType") == "50126").select(
    "UserPrincipalName", FailedAt="TimeGenerated", FailedFrom="IPAddress"
)
successes = rows.filter(pl.col("ResultType") == "0").select(
    "UserPrincipalName", GrantedAt="TimeGenerated", GrantedTo="IPAddress"
)
answer = (
    successes.join(failures, on="UserPrincipalName")
    .filter(
        pl.col("GrantedTo") != pl.col("FailedFrom"),
        pl.col("GrantedAt") >= pl.col("FailedAt"),
        pl.col("GrantedAt") <= pl.col("FailedAt") + pl.duration(hours=1),
    )
    .group_by("UserPrincipalName")
    .agg(Cases=pl.len(), First=pl.col("GrantedAt").min())
)
