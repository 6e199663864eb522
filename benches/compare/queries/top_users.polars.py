rows = source.signins("UserPrincipalName")
answer = rows.group_by("UserPrincipalName").agg(SignIns=pl.len()).top_k(10, by="SignIns")
