-- columns: LocationDetails.city, DeviceDetail.browser
SELECT LocationDetails_city AS City, DeviceDetail_browser AS Browser, count() AS SignIns
FROM {signins}
WHERE startsWith(Browser, 'Chrome')
GROUP BY City, Browser
