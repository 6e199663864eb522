-- columns: TimeGenerated, ResultType, IPAddress
SELECT toStartOfHour(TimeGenerated) AS Hour, ResultType, count() AS SignIns, uniqExact(IPAddress) AS Addresses
FROM {signins}
GROUP BY Hour, ResultType
