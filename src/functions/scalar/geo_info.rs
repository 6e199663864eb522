//! geo_info_from_ip_address: the geographic location of an IP address.

use std::net::IpAddr;

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::location::AddressLocation;
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::dynamic::BagWriter;
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "geo_info_from_ip_address",
    category: Category::Geo,
    summary: "Returns the country, state, city, latitude and longitude of an IPv4 or IPv6 address, as far as the \
              database of --geoip knows them; null if it does not know the address.",
    overloads: &[Overload {
        params: &[Param::new("IpAddress", Type::String, "the address")],
        returns: Returns::Type(Type::Dynamic),
        kernel: locate,
    }],
    examples: &[Example::new("isnull(geo_info_from_ip_address('contoso'))", "true")],
    ..ScalarFunction::DEFAULT
}];

fn locate(args: &Args<'_>) -> Result<Column> {
    let texts = args.texts(0);
    args.try_map(|row| {
        let Some(address) = texts.get(row).and_then(|text| text.trim().parse::<IpAddr>().ok()) else { return Ok(None) };
        let Some(database) = args.context().locations() else { return Err(no_database()) };
        Ok(database.find(address)?.map(|location| bag(&location)))
    })
}

fn no_database() -> Error {
    let message = "geo_info_from_ip_address needs a database of locations: name a file in MaxMind's format with \
                   --geoip FILE, or in the catalog file with geoip = \"FILE\"";
    Error::query(Code::UnsupportedFunction, Span::default(), message)
}

/// Returns a location as a bag, without the properties that are not known.
fn bag(location: &AddressLocation) -> String {
    let mut bag = BagWriter::new();
    let names = [("country", &location.country), ("state", &location.state), ("city", &location.city)];
    for (key, name) in names {
        if let Some(name) = name {
            bag.push_text(key, name);
        }
    }
    for (key, degrees) in [("latitude", location.latitude), ("longitude", location.longitude)] {
        if let Some(degrees) = degrees {
            bag.push(key, &Value::Real(degrees));
        }
    }
    bag.finish()
}
