listed = [f"198.18.{n // 256}.{n % 256}" for n in range(50_000)]
rows = source.signins("UserPrincipalName", "IPAddress", "ResultType")
answer = (
    rows.filter(pl.col("IPAddress").is_in(listed))
    .group_by("ResultType")
    .agg(SignIns=pl.len(), People=pl.col("UserPrincipalName").n_unique())
)
