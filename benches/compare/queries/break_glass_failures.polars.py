rows = source.signins("TimeGenerated", "UserPrincipalName", "IPAddress", "ResultType")
answer = rows.filter(
    pl.col("ResultType") != "0",
    pl.col("UserPrincipalName").is_in(["bg-admin-01@contoso.com", "bg-admin-02@contoso.com"]),
)
