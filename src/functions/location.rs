//! Geographic locations of IP addresses, from a database in MaxMind's format.

use std::fmt;
use std::net::IpAddr;

use maxminddb::{Reader, geoip2};

use crate::diagnostic::{Error, Result};

/// A database with the geographic locations of IP addresses.
pub struct LocationDatabase {
    /// The path of the database file, for messages.
    file: String,
    reader: Reader<Vec<u8>>,
}

/// The geographic location of an IP address; names are in English.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the function's result")]
pub struct AddressLocation {
    pub country: Option<String>,
    pub state: Option<String>,
    pub city: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
}

/// Maximum length of a name in bytes; a longer one means that the database is damaged.
const MAX_NAME: usize = 1_024;

impl LocationDatabase {
    /// Opens the database in `bytes`, which were read from `file`.
    ///
    /// # Errors
    /// [`Error::Data`] if the bytes are not a database of locations.
    pub fn new(file: String, bytes: Vec<u8>) -> Result<Self> {
        match Reader::from_source(bytes) {
            Ok(reader) => Ok(Self { file, reader }),
            Err(error) => Err(broken(&file, &error.to_string())),
        }
    }

    /// Returns the location of an address; None if the database does not contain it.
    ///
    /// # Errors
    /// [`Error::Data`] if the database is damaged.
    pub fn find(&self, address: IpAddr) -> Result<Option<AddressLocation>> {
        // A database of IPv4 addresses knows no others.
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(None);
        }
        let record = self.reader.lookup(address).and_then(|found| found.decode::<geoip2::City<'_>>());
        let Some(record) = record.map_err(|error| broken(&self.file, &error.to_string()))? else { return Ok(None) };
        let state = record.subdivisions.first().and_then(|subdivision| subdivision.names.english);
        Ok(Some(AddressLocation {
            country: self.name(record.country.names.english)?,
            state: self.name(state)?,
            city: self.name(record.city.names.english)?,
            latitude: record.location.latitude,
            longitude: record.location.longitude,
        }))
    }

    fn name(&self, name: Option<&str>) -> Result<Option<String>> {
        match name {
            Some(name) if name.len() > MAX_NAME => {
                Err(broken(&self.file, &format!("a name is longer than {MAX_NAME} bytes")))
            }
            name => Ok(name.map(str::to_owned)),
        }
    }
}

fn broken(file: &str, reason: &str) -> Error {
    let reason = format!("not a database of the locations of addresses, or damaged: {reason}");
    Error::Data { file: file.to_owned(), place: None, reason }
}

impl fmt::Debug for LocationDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocationDatabase").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{AddressLocation, LocationDatabase};

    fn bytes() -> Vec<u8> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/geoip/fictional.mmdb");
        std::fs::read(file).expect("the database")
    }

    fn find(bytes: Vec<u8>, address: &str) -> Result<Option<AddressLocation>, String> {
        let database = LocationDatabase::new("x.mmdb".to_owned(), bytes).map_err(|error| error.to_string())?;
        database.find(address.parse().expect("an address")).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_inside_and_outside_of_the_database() {
        let oslo = find(bytes(), "203.0.113.7").expect("a database").expect("a location");
        assert_eq!((oslo.country.as_deref(), oslo.city.as_deref()), (Some("Norway"), Some("Oslo")));
        assert_eq!((oslo.latitude, oslo.longitude), (Some(59.91), Some(10.75)));
        assert_eq!(find(bytes(), "198.51.100.1"), Ok(None));
        assert_eq!(find(bytes(), "2001:db8::1"), Ok(None));
    }

    #[test]
    fn damage_is_an_error_that_names_the_file_or_changes_nothing_else() {
        let whole = bytes();
        for length in 0..whole.len() {
            if let Err(message) = find(whole[..length].to_vec(), "203.0.113.7") {
                assert!(message.contains("x.mmdb"), "{message}");
            }
        }
        for position in 0..whole.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[position] ^= flip;
                let _ = find(damaged, "203.0.113.7");
            }
        }
    }
}
