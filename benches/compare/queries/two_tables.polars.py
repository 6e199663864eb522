columns = ("Type", "UserPrincipalName", "DeviceDetail.browser")
answer = (
    pl.concat([source.signins(*columns), source.others(*columns)])
    .group_by("Type", Browser="DeviceDetail_browser")
    .agg(SignIns=pl.len(), People=pl.col("UserPrincipalName").n_unique())
)
