rows = source.signins("ConditionalAccessPolicies")
answer = (
    rows.filter(pl.col("ConditionalAccessPolicies").list.len() > 0)
    .explode("ConditionalAccessPolicies")
    .unnest("ConditionalAccessPolicies")
    .group_by(Name="displayName", Result="result")
    .agg(SignIns=pl.len())
)
