rows = source.signins("UserPrincipalName", "AppDisplayName", "ResultType", "Location")
answer = (
    rows.filter(pl.col("ResultType") != "0")
    .group_by("AppDisplayName", "ResultType", "Location")
    .agg(Attempts=pl.len(), People=pl.col("UserPrincipalName").n_unique())
)
