words = "|".join(["requests", *(f"scanner{n}" for n in range(1, 500))])
rows = source.signins("UserPrincipalName", "UserAgent")
answer = (
    rows.filter(pl.col("UserAgent").str.contains(rf"(?i)\b({words})\b"))
    .group_by("UserAgent")
    .agg(SignIns=pl.len(), People=pl.col("UserPrincipalName").n_unique())
)
