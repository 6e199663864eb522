rows = source.signins("LocationDetails.city", "DeviceDetail.browser")
answer = (
    rows.rename({"LocationDetails_city": "City", "DeviceDetail_browser": "Browser"})
    .filter(pl.col("Browser").str.starts_with("Chrome"))
    .group_by("City", "Browser")
    .agg(SignIns=pl.len())
)
