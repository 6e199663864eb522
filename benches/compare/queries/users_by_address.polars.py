rows = source.signins("UserPrincipalName", "IPAddress")
answer = (
    rows.group_by("IPAddress")
    .agg(People=pl.col("UserPrincipalName").unique())
    .filter(pl.col("People").list.len() >= 30)
)
