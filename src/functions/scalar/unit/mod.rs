//! convert_angle and similar functions: numbers converted from one unit to another.

mod factors;

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::reals;
use crate::functions::signature::{Accepts, Kernel, Overload, Param, Returns};
use crate::types::{Column, Type, Value};
use factors::{ANGLE, ENERGY, FORCE, LENGTH, MASS, SPEED, UnitFactor, VOLUME};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "convert_angle",
        summary: "Returns an angle converted from one unit to another, or null if there is no such unit.",
        overloads: &[form(|args| convert(args, ANGLE))],
        examples: &[Example::new("convert_angle(1.5, 'Degree', 'Arcminute')", "90.0")],
        validate: |constants| if is_tilt(constants) { Err(tilt()) } else { Ok(()) },
        ..CONVERSION
    },
    ScalarFunction {
        name: "convert_energy",
        summary: "Returns an energy converted from one unit to another, or null if there is no such unit.",
        overloads: &[form(|args| convert(args, ENERGY))],
        examples: &[Example::new("convert_energy(2, 'KilowattHour', 'Megajoule')", "7.2")],
        ..CONVERSION
    },
    ScalarFunction {
        name: "convert_force",
        summary: "Returns a force converted from one unit to another, or null if there is no such unit.",
        overloads: &[form(|args| convert(args, FORCE))],
        examples: &[Example::new("convert_force(20, 'Newton', 'Decanewton')", "2.0")],
        ..CONVERSION
    },
    ScalarFunction {
        name: "convert_length",
        summary: "Returns a length converted from one unit to another, or null if there is no such unit.",
        overloads: &[form(|args| convert(args, LENGTH))],
        examples: &[
            Example::new("convert_length(3, 'Kilometer', 'Meter')", "3000.0"),
            Example::new("convert_length(3, 'Kilometer', 'Hour')", "real(null)"),
        ],
        ..CONVERSION
    },
    ScalarFunction {
        name: "convert_mass",
        summary: "Returns a mass converted from one unit to another, or null if there is no such unit.",
        overloads: &[form(|args| convert(args, MASS))],
        examples: &[Example::new("convert_mass(3, 'Tonne', 'Kilogram')", "3000.0")],
        ..CONVERSION
    },
    ScalarFunction {
        name: "convert_speed",
        summary: "Returns a speed converted from one unit to another, or null if there is no such unit.",
        overloads: &[form(|args| convert(args, SPEED))],
        examples: &[Example::new("convert_speed(36, 'KilometerPerHour', 'MeterPerSecond')", "10.0")],
        ..CONVERSION
    },
    ScalarFunction {
        name: "convert_volume",
        summary: "Returns a volume converted from one unit to another, or null if there is no such unit.",
        overloads: &[form(|args| convert(args, VOLUME))],
        examples: &[Example::new("convert_volume(3, 'CubicMeter', 'Kiloliter')", "3.0")],
        ..CONVERSION
    },
];

const CONVERSION: ScalarFunction = ScalarFunction { category: Category::Conversion, ..ScalarFunction::DEFAULT };

const fn form(kernel: Kernel) -> Overload {
    const NUMBER: Accepts = Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal]);
    Overload {
        params: const {
            &[
                Param::of("value", NUMBER, "the number to convert"),
                Param::new("from", Type::String, "the name of its unit"),
                Param::new("to", Type::String, "the name of the unit of the result"),
            ]
        },
        returns: Returns::Type(Type::Real),
        kernel,
    }
}

/// The unit of angles that is not a multiple of another unit; how the engine converts it is not known.
const TILT: &str = "Tilt";

fn is_tilt(constants: &[Option<&Value>]) -> bool {
    constants.iter().flatten().any(|constant| constant.as_str() == Some(TILT))
}

fn tilt() -> Error {
    Error::query(Code::UnsupportedSyntax, Span::default(), "the unit Tilt is not supported yet")
}

fn convert(args: &Args<'_>, units: &'static [UnitFactor]) -> Result<Column> {
    let (values, from, to) = (reals(args.column(0)), args.texts(1), args.texts(2));
    let factor = |name: Option<&str>| units.iter().find(|unit| Some(unit.name) == name).map(|unit| unit.factor);
    args.try_map(|row| {
        let (from, to) = (from.get(row), to.get(row));
        if std::ptr::eq(units, ANGLE) && [from, to].contains(&Some(TILT)) {
            return Err(tilt());
        }
        Ok(factor(from).zip(factor(to)).map(|(from, to)| values.get(row) * from / to))
    })
}

#[cfg(test)]
mod tests {
    use super::factors::{ANGLE, ENERGY, FORCE, LENGTH, MASS, SPEED, VOLUME};

    #[test]
    fn units_are_sorted_and_positive() {
        for units in [ANGLE, ENERGY, FORCE, LENGTH, MASS, SPEED, VOLUME] {
            assert!(units.windows(2).all(|pair| pair[0].name < pair[1].name));
            assert!(units.iter().all(|unit| unit.factor > 0.0 && unit.factor.is_finite()));
        }
    }
}
