answer = source.signins("*").top_k(100, by="TimeGenerated")
