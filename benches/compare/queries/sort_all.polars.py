answer = source.signins("*").sort("UserPrincipalName", "TimeGenerated")
