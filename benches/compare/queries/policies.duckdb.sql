-- columns: ConditionalAccessPolicies
SELECT coalesce(Policy.displayName, '') AS Name, coalesce(Policy.result, '') AS Result, count(*) AS SignIns
FROM (
    -- A row without policies goes, one without the column stays.
    SELECT unnest(CASE WHEN ConditionalAccessPolicies IS NULL THEN [NULL] ELSE ConditionalAccessPolicies END) AS Policy
    FROM {signins}
)
GROUP BY ALL
