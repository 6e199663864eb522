//! The cities that sign-ins come from.

/// A city that sign-ins come from.
pub struct City {
    /// The two-letter country code.
    pub country: &'static str,
    /// The name of the city and its coordinates.
    pub location: SynthLocation,
    /// The number of the autonomous system (AS) from which sign-ins come.
    pub network: &'static str,
    /// The relative number of people who live there.
    pub weight: u64,
    /// The name of the trusted location, if the organisation has an office there; otherwise None.
    pub office: Option<&'static str>,
}

/// The name and coordinates of a city.
pub struct SynthLocation {
    /// The name of the city.
    pub city: &'static str,
    /// The state or province.
    pub state: &'static str,
    /// The latitude in degrees.
    pub latitude: &'static str,
    /// The longitude in degrees.
    pub longitude: &'static str,
}

const fn at(city: &'static str, state: &'static str, latitude: &'static str, longitude: &'static str) -> SynthLocation {
    SynthLocation { city, state, latitude, longitude }
}

const fn city(
    country: &'static str,
    location: SynthLocation,
    network: &'static str,
    weight: u64,
    office: Option<&'static str>,
) -> City {
    City { country, location, network, weight, office }
}

/// The cities. The last one stands for an unknown location.
pub const CITIES: &[City] = &[
    city("CH", at("Zürich", "Zürich", "47.36667", "8.55"), "64496", 30, Some("HQ Zürich")),
    city("DE", at("München", "Bayern", "48.13743", "11.57549"), "64497", 18, Some("Office München")),
    city("DE", at("Köln", "Nordrhein-Westfalen", "50.93333", "6.95"), "64497", 7, None),
    city("FR", at("Orléans", "Centre-Val de Loire", "47.90289", "1.90389"), "64498", 6, None),
    city("GB", at("London", "England", "51.50853", "-0.12574"), "64499", 14, Some("Office \"The Gherkin\"")),
    city("IE", at("Dublin", "Dublin", "53.33306", "-6.24889"), "64499", 4, None),
    city("PT", at("Porto", "Porto", "41.14961", "-8.61099"), "64500", 4, None),
    city("ES", at("Málaga", "Andalucía", "36.72016", "-4.42034"), "64500", 4, None),
    city("DK", at("Århus", "Midtjylland", "56.15674", "10.21076"), "64501", 4, None),
    city("SE", at("Göteborg", "Västra Götaland", "57.70716", "11.96679"), "64501", 4, None),
    city("PL", at("Łódź", "Łódzkie", "51.75", "19.46667"), "64502", 5, Some("Centrum usług Łódź")),
    city("CZ", at("Plzeň", "Plzeňský kraj", "49.74747", "13.37759"), "64502", 3, None),
    city("BG", at("Sofia", "Sofia-Grad", "42.69751", "23.32415"), "64503", 3, None),
    city("TR", at("İzmir", "İzmir", "38.41273", "27.13838"), "64503", 2, None),
    city("US", at("Chicago", "Illinois", "41.85003", "-87.65005"), "64504", 12, Some("Office Chicago")),
    city("US", at("San José", "California", "37.33939", "-121.89496"), "64505", 6, None),
    city("CA", at("Montréal", "Québec", "45.50884", "-73.58781"), "64505", 4, None),
    city("BR", at("São Paulo", "São Paulo", "-23.5475", "-46.63611"), "64506", 4, None),
    city("CO", at("Bogotá", "Bogotá D.C.", "4.60971", "-74.08175"), "64506", 2, None),
    city("IN", at("Bengaluru", "Karnataka", "12.97194", "77.59369"), "64507", 10, Some("Office Bengaluru")),
    city("JP", at("東京", "東京都", "35.6895", "139.69171"), "64508", 4, None),
    city("VN", at("Đà Nẵng", "Đà Nẵng", "16.06778", "108.22083"), "64509", 2, None),
    city("NG", at("Lagos", "Lagos", "6.45407", "3.39467"), "64510", 2, None),
    city("ZA", at("Cape Town", "Western Cape", "-33.92584", "18.42322"), "64511", 2, None),
    city("CH", at("Genève", "Genève", "46.20222", "6.14569"), "64496", 2, None),
    city("CH", at("Basel", "Basel-Stadt", "47.55839", "7.57327"), "64496", 2, None),
    city("CH", at("Lugano", "Ticino", "46.01008", "8.96004"), "64496", 2, None),
    city("DE", at("Berlin", "Berlin", "52.52437", "13.41053"), "64497", 2, None),
    city("DE", at("Hamburg", "Hamburg", "53.57532", "10.01534"), "64497", 2, None),
    city("DE", at("Düsseldorf", "Nordrhein-Westfalen", "51.22172", "6.77616"), "65536", 2, None),
    city("AT", at("Wien", "Wien", "48.20849", "16.37208"), "65537", 2, None),
    city("IT", at("Torino", "Piemonte", "45.07049", "7.68682"), "65538", 2, None),
    city("IT", at("Forlì", "Emilia-Romagna", "44.22361", "12.05278"), "65538", 2, None),
    city("FR", at("Paris", "Île-de-France", "48.85341", "2.3488"), "64498", 2, None),
    city("FR", at("Besançon", "Bourgogne-Franche-Comté", "47.24878", "6.01815"), "64498", 2, None),
    city("NL", at("Utrecht", "Utrecht", "52.09083", "5.12222"), "65539", 2, None),
    city("BE", at("Liège", "Liège", "50.63373", "5.56749"), "65539", 2, None),
    city("GB", at("Leeds", "England", "53.79648", "-1.54785"), "64499", 2, None),
    city("GB", at("Edinburgh", "Scotland", "55.95206", "-3.19648"), "65540", 2, None),
    city("NO", at("Tromsø", "Troms", "69.6489", "18.95508"), "64501", 2, None),
    city("FI", at("Jyväskylä", "Keski-Suomi", "62.24147", "25.72088"), "65541", 2, None),
    city("EE", at("Tartu", "Tartumaa", "58.38062", "26.72509"), "65541", 2, None),
    city("HU", at("Győr", "Győr-Moson-Sopron", "47.68333", "17.63512"), "64503", 2, None),
    city("RO", at("Iași", "Iași", "47.16667", "27.6"), "64503", 2, None),
    city("GR", at("Πάτρα", "Αχαΐα", "38.24444", "21.73444"), "65542", 2, None),
    city("US", at("Austin", "Texas", "30.26715", "-97.74306"), "64504", 2, None),
    city("US", at("New York", "New York", "40.71427", "-74.00597"), "64504", 2, None),
    city("US", at("Coeur d'Alene", "Idaho", "47.67768", "-116.78047"), "65543", 2, None),
    city("CA", at("Toronto", "Ontario", "43.70011", "-79.4163"), "64505", 2, None),
    city("MX", at("Mérida", "Yucatán", "20.97537", "-89.61696"), "65544", 2, None),
    city("AR", at("Córdoba", "Córdoba", "-31.4135", "-64.18105"), "65544", 2, None),
    city("CL", at("Valparaíso", "Valparaíso", "-33.036", "-71.62963"), "64506", 2, None),
    city("IN", at("Pune", "Maharashtra", "18.51957", "73.85535"), "64507", 2, None),
    city("IN", at("Chennai", "Tamil Nadu", "13.08784", "80.27847"), "64507", 2, None),
    city("JP", at("大阪", "大阪府", "34.69374", "135.50218"), "64508", 2, None),
    city("KR", at("서울", "서울특별시", "37.566", "126.9784"), "65545", 2, None),
    city("SG", at("Singapore", "", "1.28967", "103.85007"), "65546", 2, None),
    city("AU", at("Melbourne", "Victoria", "-37.814", "144.96332"), "65547", 2, None),
    city("NZ", at("Ōtautahi", "Canterbury", "-43.53333", "172.63333"), "65547", 2, None),
    city("KE", at("Nairobi", "Nairobi", "-1.28333", "36.81667"), "64511", 2, None),
    city("EG", at("الإسكندرية", "Alexandria", "31.20176", "29.91582"), "65548", 2, None),
    city("AE", at("Dubai", "Dubai", "25.07725", "55.30927"), "65548", 2, None),
    city("", at("", "", "0", "0"), "64511", 1, None),
];
