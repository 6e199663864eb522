answer = source.signins("*").head(10)
