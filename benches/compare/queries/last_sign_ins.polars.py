answer = (
    source.signins("*")
    .group_by("UserPrincipalName")
    .agg(pl.all().sort_by("TimeGenerated").last())
    .top_k(100, by="TimeGenerated")
)
