//! Distances between points on the earth, which is taken as a sphere.

use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::reals;
use crate::functions::signature::{Accepts, Overload, Param, Returns};
use crate::types::{Column, Type};

const NUMBER: Accepts = Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal]);
const LONGITUDE: Param = Param::of("longitude", NUMBER, "a longitude in degrees, from -180 to 180");
const LATITUDE: Param = Param::of("latitude", NUMBER, "a latitude in degrees, from -90 to 90");
const RADIUS: Param = Param::of("radius", NUMBER, "the radius in meters");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "geo_distance_2points",
        summary: "Returns the shortest distance in meters between two points on the earth, or null if a coordinate is \
                  out of range.",
        overloads: &[Overload {
            params: &[LONGITUDE, LATITUDE, LONGITUDE, LATITUDE],
            returns: Returns::Type(Type::Real),
            kernel: |args| Ok(map(args, distance)),
        }],
        examples: &[
            Example::new("round(geo_distance_2points(10.75, 59.91, 5.32, 60.39))", "305135.0"),
            Example::new("geo_distance_2points(300, 1, 1, 1)", "real(null)"),
        ],
        ..GEO
    },
    ScalarFunction {
        name: "geo_point_in_circle",
        summary: "Returns true if a point is inside a circle on the earth, or null if an argument is out of range.",
        overloads: &[Overload {
            params: &[LONGITUDE, LATITUDE, LONGITUDE, LATITUDE, RADIUS],
            returns: Returns::Type(Type::Bool),
            kernel: in_circle,
        }],
        examples: &[
            Example::new("geo_point_in_circle(10.75, 59.91, 10.7, 59.9, 5000)", "true"),
            Example::new("geo_point_in_circle(1, 1, 1, 1, -1)", "bool(null)"),
        ],
        ..GEO
    },
];

const GEO: ScalarFunction = ScalarFunction { category: Category::Geo, ..ScalarFunction::DEFAULT };
/// The radius of the earth in meters with which the engine computes; measured on the engine.
const EARTH_RADIUS: f64 = 6_371_010.0;

fn map(args: &Args<'_>, of: impl Fn([f64; 4]) -> Option<f64>) -> Column {
    let numbers: Vec<_> = args.columns().iter().map(reals).collect();
    args.map(|row| of(std::array::from_fn(|index| numbers[index].get(row))))
}

fn in_circle(args: &Args<'_>) -> Result<Column> {
    let numbers: Vec<_> = args.columns().iter().map(reals).collect();
    Ok(args.map(|row| {
        let distance = distance(std::array::from_fn(|index| numbers[index].get(row)))?;
        let radius = numbers[4].get(row);
        (radius.is_finite() && radius >= 0.0).then_some(distance <= radius)
    }))
}

/// Returns the distance in meters between two points, each given as a longitude and a latitude in degrees; None if a
/// coordinate is out of range.
fn distance([longitude1, latitude1, longitude2, latitude2]: [f64; 4]) -> Option<f64> {
    let is_valid = [longitude1, longitude2].iter().all(|degrees| degrees.abs() <= 180.0)
        && [latitude1, latitude2].iter().all(|degrees| degrees.abs() <= 90.0);
    if !is_valid {
        return None;
    }
    let (north1, north2) = (latitude1.to_radians(), latitude2.to_radians());
    let half_sine = |from: f64, to: f64| ((to - from) / 2.0).sin().powi(2);
    let haversine = half_sine(north1, north2)
        + north1.cos() * north2.cos() * half_sine(longitude1.to_radians(), longitude2.to_radians());
    Some(2.0 * EARTH_RADIUS * haversine.sqrt().min(1.0).asin())
}

#[cfg(test)]
mod tests {
    use super::{EARTH_RADIUS, distance};

    #[test]
    fn distances() {
        let half = std::f64::consts::PI * EARTH_RADIUS;
        assert_eq!(distance([5.0, 5.0, 5.0, 5.0]), Some(0.0));
        assert!((distance([0.0, -90.0, 0.0, 90.0]).expect("poles") - half).abs() < 1e-6);
        assert!((distance([0.0, 0.0, 180.0, 0.0]).expect("the equator") - half).abs() < 1e-6);
        assert!((distance([-180.0, 0.0, 180.0, 0.0]).expect("one point")).abs() < 1e-6);
        for invalid in [[181.0, 0.0, 0.0, 0.0], [0.0, 91.0, 0.0, 0.0], [f64::NAN, 0.0, 0.0, 0.0]] {
            assert_eq!(distance(invalid), None);
        }
    }
}
