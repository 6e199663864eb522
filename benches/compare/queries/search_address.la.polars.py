answer = (
    source.lines()
    .filter(pl.col("line").str.to_lowercase().str.contains("203.0.113.71", literal=True))
    .group_by(UserPrincipalName=pl.col("line").str.json_path_match("$.UserPrincipalName"))
    .agg(SignIns=pl.len())
)
