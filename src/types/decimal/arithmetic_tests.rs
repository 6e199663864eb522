//! Arithmetic of decimals. The expected results are those of Python's module `decimal` with 34 digits.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Decimal, parse, to_text};

fn decimal(text: &str) -> Decimal {
    parse(text).unwrap().unwrap()
}

#[test]
fn operations_have_34_digits() {
    for (a, operator, b, expected) in [
        ("98537708817284099556145000000", '+', "2.1", Some("98537708817284099556145000002.1")),
        ("1793336797.545", '+', "482100044234598058676047.006", Some("482100044234599852012844.551")),
        ("0.00000000000000000000000000000456", '+', "0.04", Some("0.04000000000000000000000000000456")),
        ("0.000000009046669", '+', "-69864280146565725262596.97", None),
        ("-6000000", '+', "-0.00000000000000000000000000000000001", None),
        ("-13563.21088", '+', "419.8", Some("-13143.41088")),
        ("-482874930135381927", '+', "93562081010782516723238457.08", Some("93562080527907586587856530.08")),
        ("-0.0066", '-', "-0.00000009663", Some("-0.00659990337")),
        ("-0.0004", '-', "0.05755082353", Some("-0.05795082353")),
        ("14734772482429890301000", '-', "-79612832434.712992344203185322", None),
        ("-0.00000000353", '-', "0.0000006414809393", Some("-0.0000006450109393")),
        ("-0.0000000000000000000000000676886083", '-', "0.000002", Some("-0.0000020000000000000000000676886083")),
        ("9595498981401730", '-', "-364172.10029", Some("9595498981765902.10029")),
        ("6177", '-', "-5040", Some("11217")),
        ("-9612927799823879273118280000", '*', "-0.00000000000000778", Some("74788578282629.7807448602184")),
        ("-559956940328913873000000000", '*', "-2136254793237.79499", None),
        ("-0.000912169", '*', "0.0000000000000000000000069382", Some("-0.0000000000000000000000000063288109558")),
        ("-0.000002969650283", '*', "-3143093773682767317863047249388681000000", None),
        ("-100", '*', "772319984067.383", Some("-77231998406738.3")),
        ("56.774", '*', "9877665402063906", Some("560794575536776199.244")),
        ("-0.000000041841758927", '*', "-0.00000000918967013", Some("0.00000000000000038451196219811275051")),
        ("-0.000073", '/', "-0.73", Some("0.0001")),
        ("0.0000000000000006", '/', "-0.0000006", Some("-0.000000001")),
        ("-8639250658452375", '/', "-0.000000095", Some("90939480615288157894736.84210526316")),
        ("-0.00006", '/', "-21956990529774.1", Some("0.000000000000000002732614923645335183885579660904456")),
        ("51432", '/', "0.0000000901477671411271842", Some("570529938023.6752436132799599307742")),
        ("-6.9", '/', "-0.66917974292843409", Some("10.31113101213215516299999344795064")),
        ("-7", '/', "-2168600", Some("0.000003227888960619754680438992898644287")),
        ("8027.165759091332530065", '%', "98224526895146.295", Some("8027.165759091332530065")),
        ("-96721748076270000", '%', "20050", Some("-16300")),
        ("569", '%', "658437311565682035", Some("569")),
        ("0.7", '%', "-2.2425987058758981846845107172367", Some("0.7")),
        ("720337856.043541467244150922211679", '%', "-0.0000005", Some("0.000000467244150922211679")),
        ("-0.59", '%', "0.0006", Some("-0.0002")),
        ("9053250", '%', "-0.08655340340988009", Some("0.03445764132900543")),
        ("1", '/', "3", Some("0.3333333333333333333333333333333333")),
        ("2", '/', "3", Some("0.6666666666666666666666666666666667")),
        ("1", '/', "0", None),
        ("1", '%', "0", None),
        ("9999999999999999999999999999999999", '+', "1", Some("10000000000000000000000000000000000")),
        ("9999999999999999999999999999999999", '+', "2", None),
    ] {
        let (left, right) = (decimal(a), decimal(b));
        let result = match operator {
            '+' => left.checked_add(right),
            '-' => left.checked_sub(right),
            '*' => left.checked_mul(right),
            '/' => left.rounded_div(right),
            _ => left.checked_rem(right),
        };
        assert_eq!(result.map(to_text).as_deref(), expected, "{a} {operator} {b}");
    }
}

#[test]
fn halves_are_rounded_to_even_by_division_and_away_from_zero_by_round() {
    // 34 digits and a half: 1e33 + 0.5, and 1e33 + 1.5.
    let half = decimal("2000000000000000000000000000000001").rounded_div(decimal("2")).unwrap();
    assert_eq!(to_text(half), "1000000000000000000000000000000000");
    let half = decimal("2000000000000000000000000000000003").rounded_div(decimal("2")).unwrap();
    assert_eq!(to_text(half), "1000000000000000000000000000000002");
    for (text, digits, expected) in [
        ("0.125", 2, "0.13"),
        ("-0.125", 2, "-0.13"),
        ("2.5", 0, "3"),
        ("-0.4", 0, "0"),
        ("1.5", 9, "1.5"),
        ("1e40", 2, "10000000000000000000000000000000000000000"),
        ("9.999", 2, "10"),
        ("1e-60", 3, "0"),
    ] {
        assert_eq!(to_text(decimal(text).round(digits)), expected, "{text}");
    }
}

#[test]
fn whole_parts() {
    for (text, below, above, long) in [
        ("2.5", "2", "3", Some(2)),
        ("-2.5", "-2", "-2", Some(-2)),
        ("0.001", "0", "1", Some(0)),
        ("7", "7", "7", Some(7)),
        ("1e20", "100000000000000000000", "100000000000000000000", None),
        ("-9223372036854775808", "-9223372036854775808", "-9223372036854775808", Some(i64::MIN)),
    ] {
        let value = decimal(text);
        assert_eq!((to_text(value.trunc()).as_str(), to_text(value.ceil()).as_str()), (below, above), "{text}");
        assert_eq!(value.to_i64(), long, "{text}");
    }
}

#[test]
fn order_and_bytes_are_those_of_the_values() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut number = || {
        let digits = random.random_range(-1_000..1_000) * [1, 10, 1_000_003][random.random_range(0..3)];
        Decimal::from_parts(digits, random.random_range(-5..5)).unwrap()
    };
    for _ in 0..10_000 {
        let (a, b) = (number(), number());
        assert_eq!(a.cmp(&b), a.checked_sub(b).unwrap().cmp(&Decimal::ZERO), "{a:?} {b:?}");
        assert_eq!(a == b, a.serialize() == b.serialize(), "{a:?} {b:?}");
        assert_eq!(Decimal::deserialize(a.serialize()), a);
        assert_eq!(decimal(&to_text(a)), a);
    }
    for value in [Decimal::MAX, Decimal::MIN, Decimal::ZERO, decimal("1e-150")] {
        assert_eq!(Decimal::deserialize(value.serialize()), value);
        assert!(Decimal::MIN <= value && value <= Decimal::MAX);
    }
    assert_eq!(Decimal::deserialize([0xFF; 16]), Decimal::ZERO);
}

#[test]
fn numbers_beyond_the_limits_are_none() {
    let (large, small) = (decimal("1e150"), decimal("1e-150"));
    assert_eq!(large.checked_mul(decimal("10")), None);
    assert_eq!(large.rounded_div(decimal("0.1")), None);
    assert_eq!(small.checked_mul(small), None);
    assert_eq!(small.rounded_div(decimal("3")), None);
    assert_eq!(large.checked_add(small), None);
    assert_eq!(large.rounded_sub(small), Some(large));
    assert_eq!(large.checked_rem(decimal("7")).map(to_text).as_deref(), Some("1"));
    assert_eq!(large.trunc(), large);
    assert_eq!(small.trunc(), Decimal::ZERO);
}
