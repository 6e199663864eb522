//! The apps that people sign in to.

use super::conditions::{ADMINISTRATION, BUSINESS, COLLABORATION, DEVELOPMENT, MAIL, OFFICE, OTHER_APPS, REGISTRATION};
use super::{APP_OWNER, TENANT};

/// An app that people sign in to, and the token it requests.
pub struct App {
    /// The display name.
    pub name: &'static str,
    /// The id of the app.
    pub id: &'static str,
    /// The resource to which the token gives access.
    pub resource: Resource,
    /// The requested scopes, as JSON array elements.
    pub scopes: &'static str,
    /// The id of the tenant that owns the app.
    pub owner: &'static str,
    /// True if the app runs in a browser.
    pub browser: bool,
    /// The kind of app, as a bit by which policies select apps; see [`super::conditions`].
    pub class: u64,
    /// The relative frequency of use.
    pub weight: u64,
}

/// A resource to which a token gives access.
#[derive(Clone, Copy)]
pub struct Resource {
    /// The display name.
    pub name: &'static str,
    /// The app id of the resource.
    pub id: &'static str,
    /// The id of the resource's service principal.
    pub principal: &'static str,
}

const fn resource(name: &'static str, id: &'static str, principal: &'static str) -> Resource {
    Resource { name, id, principal }
}

const fn app(
    name: &'static str,
    id: &'static str,
    resource: Resource,
    scopes: &'static str,
    kind: u64,
    weight: u64,
) -> App {
    let (browser, class) = (kind & IN_BROWSER != 0, kind & !IN_BROWSER);
    App { name, id, resource, scopes, owner: APP_OWNER, browser, class, weight }
}

const fn own_app(
    name: &'static str,
    id: &'static str,
    resource: Resource,
    scopes: &'static str,
    kind: u64,
    weight: u64,
) -> App {
    App { owner: TENANT, ..app(name, id, resource, scopes, kind, weight) }
}

const GRAPH: Resource =
    resource("Microsoft Graph", "00000003-0000-0000-c000-000000000000", "41c8e9f0-7d25-4b6a-93ce-0a5f8b1d7e34");
const EXCHANGE: Resource = resource(
    "Office 365 Exchange Online",
    "00000002-0000-0ff1-ce00-000000000000",
    "82f60b3d-c1a7-4e95-8d20-6b94e7053fca",
);
const SHAREPOINT: Resource = resource(
    "Office 365 SharePoint Online",
    "00000003-0000-0ff1-ce00-000000000000",
    "0d7ba5c4-e938-4f12-b6e7-c3850f9d21a6",
);
const AZURE: Resource = resource(
    "Windows Azure Service Management API",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "f5936e1b-42d0-4c8a-a17f-9e2b60d8c453",
);
const EXPENSES: Resource =
    resource("Contoso Expenses API", "36be09f7-8d5c-41a2-b9f4-e07c3a618d25", "c70a52e8-1f6d-4b39-85ce-2d94b7f03e61");

const CODE: Resource =
    resource("Contoso Code", "21da8978-206f-4c66-a1e0-c07e9e115e4b", "015c33b2-df14-41aa-a8eb-18b900745130");
const PAYROLL: Resource =
    resource("Contoso Payroll API", "f5cae3bf-3729-4619-a60a-3cab359eeefb", "2a9eba0c-df56-4d80-aa75-9159fb7ff337");

/// The bit in an argument of [`app`] that marks an app in a browser.
const IN_BROWSER: u64 = 1 << 63;
/// The argument of [`app`] for an app that does not run in a browser: [`IN_BROWSER`] is not set.
const IN_CLIENT: u64 = 0;

/// The index in [`APPS`] of the administrators' portal.
pub const PORTAL: usize = 5;
/// The index in [`APPS`] of the administrators' shell.
pub const SHELL: usize = 6;

/// The apps that people sign in to.
pub const APPS: &[App] = &[
    app(
        "OfficeHome",
        "4765445b-32c6-49b0-83e6-1d93765276ca",
        GRAPH,
        "User.Read, Files.ReadWrite.All, People.Read",
        IN_BROWSER | OFFICE,
        220,
    ),
    app(
        "Microsoft Teams Web Client",
        "5e3ce6c0-2b1f-4285-8d4b-75ee78787346",
        GRAPH,
        "Chat.ReadWrite, Calendars.ReadWrite, Presence.Read.All, User.Read",
        IN_BROWSER | COLLABORATION,
        180,
    ),
    app(
        "Microsoft Office",
        "d3590ed6-52b3-4102-aeff-aad2292ab01c",
        EXCHANGE,
        "EAS.AccessAsUser.All, Mail.ReadWrite",
        IN_CLIENT | MAIL,
        200,
    ),
    app(
        "Office 365 SharePoint Online",
        "00000003-0000-0ff1-ce00-000000000000",
        SHAREPOINT,
        "Sites.Read.All, AllSites.Write",
        IN_BROWSER | COLLABORATION,
        110,
    ),
    app(
        "My Apps",
        "2793995e-0a7d-40d7-bd35-6968ba142197",
        GRAPH,
        "openid, profile, User.Read",
        IN_BROWSER | OFFICE,
        50,
    ),
    app(
        "Azure Portal",
        "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
        AZURE,
        "user_impersonation, openid, profile",
        IN_BROWSER | ADMINISTRATION,
        30,
    ),
    app(
        "Microsoft Azure PowerShell",
        "1950a258-227b-4e31-a9cf-717495945fc2",
        AZURE,
        "user_impersonation",
        IN_CLIENT | ADMINISTRATION,
        15,
    ),
    own_app(
        "Contoso Expenses",
        "a90d6cf3-5e27-48b1-92c4-7f13e0b8d65a",
        EXPENSES,
        "Expenses.Submit, Expenses.Read",
        IN_BROWSER | BUSINESS,
        60,
    ),
    own_app(
        "Café & Kantine – \"Tagesmenü\"",
        "6c2f81be-d074-4935-a8e6-b50f93d7c21e",
        EXPENSES,
        "Menu.Read",
        IN_BROWSER | OTHER_APPS,
        25,
    ),
    app(
        "Outlook Mobile",
        "27922004-5251-4030-b22d-91ecd9a37ea4",
        EXCHANGE,
        "Mail.ReadWrite, Calendars.ReadWrite",
        IN_CLIENT | MAIL,
        150,
    ),
    app(
        "Microsoft Teams",
        "1fec8e78-bce4-4aaf-ab1b-5451cc387264",
        GRAPH,
        "Chat.ReadWrite, Presence.Read.All",
        IN_CLIENT | COLLABORATION,
        160,
    ),
    app(
        "OneDrive SyncEngine",
        "ab9b8c07-8f02-4f72-87fa-80105867a763",
        SHAREPOINT,
        "MyFiles.Write",
        IN_CLIENT | COLLABORATION,
        60,
    ),
    app(
        "One Outlook Web",
        "9199bf20-a13f-4107-85dc-02114787ef48",
        EXCHANGE,
        "Mail.ReadWrite, openid",
        IN_BROWSER | MAIL,
        120,
    ),
    app(
        "Microsoft Authentication Broker",
        "29d9ed98-a469-4536-ade2-f981bc1d605e",
        GRAPH,
        "openid, profile",
        IN_CLIENT | REGISTRATION,
        35,
    ),
    app("My Signins", "19db86c3-b2b9-44cc-b339-36da233a3be2", GRAPH, "openid, profile", IN_BROWSER | REGISTRATION, 30),
    app(
        "Microsoft Azure CLI",
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        AZURE,
        "user_impersonation",
        IN_CLIENT | ADMINISTRATION,
        12,
    ),
    app(
        "Graph Explorer",
        "de8bc8b5-d9f9-48b1-a8ad-b748da725064",
        GRAPH,
        "User.Read, Directory.Read.All",
        IN_BROWSER | ADMINISTRATION,
        5,
    ),
    app(
        "Visual Studio Code",
        "aebc6443-996d-45c2-90f0-388ff96faa56",
        AZURE,
        "user_impersonation, offline_access",
        IN_CLIENT | DEVELOPMENT,
        25,
    ),
    own_app(
        "Contoso Code",
        "5bc8fbbc-bde5-4099-a164-d8399f767c45",
        CODE,
        "Code.Read, Code.Write",
        IN_BROWSER | DEVELOPMENT,
        45,
    ),
    own_app(
        "Contoso Build & Test",
        "d76d4330-f144-4bea-a0c1-1fdecb91ce37",
        CODE,
        "Build.Run",
        IN_BROWSER | DEVELOPMENT,
        20,
    ),
    own_app("Contoso Payroll", "87b0b125-ec1d-4da0-a6eb-8c9ebd69fe29", PAYROLL, "Pay.Read", IN_BROWSER | BUSINESS, 30),
    own_app(
        "Contoso Personalakte",
        "c6a53877-7733-4bdb-a721-0dff076ce2ef",
        PAYROLL,
        "Files.Read",
        IN_BROWSER | BUSINESS,
        18,
    ),
    own_app(
        "Contoso Contracts (Verträge)",
        "0d464138-a623-4255-afc1-ea36f17fd374",
        EXPENSES,
        "Contracts.Read, Contracts.Sign",
        IN_BROWSER | BUSINESS,
        22,
    ),
    own_app(
        "Contoso Time Sheets",
        "5f2dd97f-1cfb-40f6-a827-688de6a16a3b",
        PAYROLL,
        "Time.Write",
        IN_BROWSER | OTHER_APPS,
        70,
    ),
    own_app(
        "Contoso Helpdesk",
        "617959ce-3f1f-45a8-ae52-71007814e8a2",
        CODE,
        "Tickets.ReadWrite",
        IN_BROWSER | OTHER_APPS,
        40,
    ),
    own_app(
        "Contoso Travel",
        "3fd42359-92ed-4f45-aa1a-fe878b33e968",
        EXPENSES,
        "Trips.Book",
        IN_BROWSER | OTHER_APPS,
        15,
    ),
    own_app(
        "Contoso Learning",
        "687c966c-377b-4aa2-ab2e-db20035b7399",
        GRAPH,
        "User.Read",
        IN_BROWSER | OTHER_APPS,
        25,
    ),
    own_app(
        "Contoso Shop Floor",
        "de11cc9d-ea95-4c21-ae9c-82b1478c281d",
        PAYROLL,
        "Orders.Read",
        IN_BROWSER | OTHER_APPS,
        55,
    ),
    own_app(
        "Contoso CRM",
        "c30d8b76-28db-425e-a3b2-29f1c4069545",
        EXPENSES,
        "Customers.ReadWrite",
        IN_BROWSER | BUSINESS,
        65,
    ),
    own_app(
        "Contoso Wiki",
        "9e30691c-2386-42ea-a26a-1e48cc11d357",
        CODE,
        "Pages.ReadWrite",
        IN_BROWSER | OTHER_APPS,
        60,
    ),
];
