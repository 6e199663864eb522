-- columns: LocationDetails.city, DeviceDetail.browser
SELECT LocationDetails_city AS City, DeviceDetail_browser AS Browser, count(*) AS SignIns
FROM {signins}
WHERE starts_with(DeviceDetail_browser, 'Chrome')
GROUP BY ALL
