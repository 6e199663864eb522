//! The data of the fictional organisation: names, cities, apps, devices, policies, and results of sign-ins.
//!
//! Domains are those that Microsoft's documentation reserves for examples. Addresses are from the ranges for
//! documentation and benchmarks (RFC 5737, RFC 2544, RFC 3849), AS numbers from RFC 5398.

pub mod apps;
pub mod cities;
pub mod conditions;
pub mod devices;
pub mod names;
pub mod outcomes;
pub mod policies;

/// The id of the Entra tenant.
pub const TENANT: &str = "5f0c2a6e-7b1d-4c39-8e52-a94d13b760fe";
/// The `resourceId` in the envelope of records.
pub const TENANT_RESOURCE: &str = "/tenants/5f0c2a6e-7b1d-4c39-8e52-a94d13b760fe/providers/Microsoft.aadiam";
/// The id of the Log Analytics workspace.
pub const WORKSPACE: &str = "c81e5d90-26f4-4ab7-9d03-7e6b51fa8c42";
/// The resource path of the workspace in Azure, in lower case as data export writes it.
pub const WORKSPACE_RESOURCE: &str = "/subscriptions/9a47e3d1-05bc-4f68-b2e9-d6138c70fa25/resourcegroups/rg-security/\
     providers/microsoft.operationalinsights/workspaces/law-contoso-security";
/// The id of the tenant that owns Microsoft's own apps.
pub const APP_OWNER: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// The home tenants of guests: domain, company, and tenant id.
pub const PARTNERS: &[(&str, &str, &str)] = &[
    ("fabrikam.com", "Fabrikam", "1d93b7f4-60ea-47c2-a5d8-3e0c94f2b716"),
    ("adatum.com", "A. Datum", "7e20c5a9-f318-4d6b-91b4-58c7d0e3a62f"),
    ("wingtiptoys.com", "Wingtip Toys", "b4680d2e-91c7-4e5f-8a3d-06f7e29b15dc"),
    ("northwindtraders.com", "Northwind Traders", "e07f4c81-3da5-42b9-b60c-94a1578d3fe2"),
];
