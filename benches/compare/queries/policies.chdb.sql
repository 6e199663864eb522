-- columns: ConditionalAccessPolicies
SELECT Policy.displayName AS Name, Policy.result AS Result, count() AS SignIns
FROM (SELECT arrayJoin(ConditionalAccessPolicies) AS Policy FROM {signins})
GROUP BY Name, Result
