from datetime import datetime, timezone

rows = source.signins("TimeGenerated", "UserPrincipalName", "IPAddress", "ResultType")
answer = rows.filter(
    pl.col("TimeGenerated") >= datetime(2026, 3, 4, tzinfo=timezone.utc),
    pl.col("TimeGenerated") < datetime(2026, 3, 5, tzinfo=timezone.utc),
    pl.col("UserPrincipalName").str.contains(r"(?i)(?:^|[^a-z0-9])admin(?:[^a-z0-9]|$)"),
)
