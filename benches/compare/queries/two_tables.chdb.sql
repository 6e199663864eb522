-- columns: Type, UserPrincipalName, DeviceDetail.browser
SELECT Type, DeviceDetail_browser AS Browser, count() AS SignIns, uniqExact(UserPrincipalName) AS People
FROM (SELECT * FROM {signins} UNION ALL SELECT * FROM {others})
GROUP BY Type, Browser
