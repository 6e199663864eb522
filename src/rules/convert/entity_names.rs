//! The names of entities and their identifiers in Microsoft Sentinel and in Microsoft Graph.
//!
//! Sources: the entity types of Microsoft Sentinel, and the resources `...EntityMapping` of Microsoft Graph. Identifiers
//! that only one of them has are not in the table.

use crate::rules::EntityMapping;

/// The type of an entity in Sentinel, its collection in Graph, and the names of its identifiers in both.
type EntityNames = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const ENTITIES: &[EntityNames] = &[
    (
        "Account",
        "accounts",
        &[
            ("AadUserId", "aadUserId"),
            ("DnsDomain", "dnsDomain"),
            ("Name", "name"),
            ("NTDomain", "ntDomain"),
            ("Sid", "sid"),
            ("UPNSuffix", "upnSuffix"),
        ],
    ),
    ("AzureResource", "azureResources", &[("ResourceId", "resourceId")]),
    ("CloudApplication", "cloudApplications", &[("AppId", "appId"), ("Name", "name")]),
    ("DNS", "dns", &[("DomainName", "domainName")]),
    ("File", "files", &[("Name", "name")]),
    (
        "Host",
        "hosts",
        &[("DnsDomain", "dnsDomain"), ("HostName", "name"), ("NetBiosName", "netBiosName"), ("NTDomain", "ntDomain")],
    ),
    ("IP", "ips", &[("Address", "address")]),
    ("Mailbox", "mailboxes", &[("MailboxPrimaryAddress", "primaryAddress")]),
    (
        "MailMessage",
        "mailMessages",
        &[
            ("NetworkMessageId", "networkMessageId"),
            ("Recipient", "recipient"),
            ("Sender", "sender"),
            ("Subject", "subject"),
        ],
    ),
    ("URL", "urls", &[("Url", "address")]),
];

/// Returns the entities with the names of Graph, without those that it does not have.
pub(super) fn of_graph(entities: &[EntityMapping]) -> Vec<EntityMapping> {
    renamed(entities, |names| (names.0, names.1), |(sentinel, graph)| (*sentinel, *graph))
}

/// Returns the entities with the names of Sentinel, without those that it does not have.
pub(super) fn of_sentinel(entities: &[EntityMapping]) -> Vec<EntityMapping> {
    renamed(entities, |names| (names.1, names.0), |(sentinel, graph)| (*graph, *sentinel))
}

/// Returns the entity with the names of Sentinel, as far as it has them.
#[must_use]
pub fn sentinel_entity(entity: &EntityMapping) -> EntityMapping {
    let Some((own, _, identifiers)) = ENTITIES.iter().find(|names| names.1.eq_ignore_ascii_case(&entity.entity)) else {
        return entity.clone();
    };
    let field = |(identifier, column): &(String, String)| {
        let known = identifiers.iter().find(|(_, graph)| graph.eq_ignore_ascii_case(identifier));
        (known.map_or(identifier.as_str(), |(sentinel, _)| *sentinel).to_owned(), column.clone())
    };
    EntityMapping { entity: (*own).to_owned(), fields: entity.fields.iter().map(field).collect() }
}

/// Returns the entities with new names. Both functions return the old name and the new one. What has the new names
/// already stays as it is.
fn renamed(
    entities: &[EntityMapping],
    of_type: fn(&EntityNames) -> (&'static str, &'static str),
    of_field: fn(&(&'static str, &'static str)) -> (&'static str, &'static str),
) -> Vec<EntityMapping> {
    let rename = |entity: &EntityMapping| {
        if ENTITIES.iter().any(|names| of_type(names).1.eq_ignore_ascii_case(&entity.entity)) {
            return Some(entity.clone());
        }
        let names = ENTITIES.iter().find(|names| of_type(names).0.eq_ignore_ascii_case(&entity.entity))?;
        let field = |(identifier, column): &(String, String)| {
            let known = names.2.iter().map(of_field).find(|(old, _)| old.eq_ignore_ascii_case(identifier))?;
            Some((known.1.to_owned(), column.clone()))
        };
        let fields: Vec<(String, String)> = entity.fields.iter().filter_map(field).collect();
        (!fields.is_empty()).then(|| EntityMapping { entity: of_type(names).1.to_owned(), fields })
    };
    entities.iter().filter_map(rename).collect()
}
