answer = (
    source.signins("*")
    .filter(pl.any_horizontal(pl.col(pl.String).str.to_lowercase().str.contains("203.0.113.71", literal=True)))
    .group_by("UserPrincipalName")
    .agg(SignIns=pl.len())
)
