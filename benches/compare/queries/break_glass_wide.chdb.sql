-- columns: *
SELECT *
FROM {signins}
WHERE ResultType = '0' AND UserPrincipalName IN ('bg-admin-01@contoso.com', 'bg-admin-02@contoso.com')
