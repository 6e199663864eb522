//! Random queries over a table, most of them valid: expressions by type, functions from the registries, and pipelines
//! that track the columns available at each step.

use coldcase::functions::signature::{Accepts, Occurs, Param, Volatility};
use coldcase::functions::{AggregateFunction, ScalarFunction, aggregate_functions, scalar_functions};
use coldcase::plan::JOIN_KINDS;
use coldcase::types::Type;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

/// Functions that build large values from small arguments: correct, but slow to try at random.
const LARGE: &[&str] = &["range", "repeat", "strrep"];
/// Aggregates that estimate, or whose last digits depend on how rows are split.
const INEXACT: &[&str] = &[
    "covariance",
    "covarianceif",
    "covariancep",
    "covariancepif",
    "stdev",
    "stdevif",
    "stdevp",
    "stdevpif",
    "variance",
    "varianceif",
    "variancep",
    "variancepif",
];

/// Strings used in literals, rows and dynamics, so that comparisons match.
pub const WORDS: &[&str] = &["", "a", "Ab", "b-c", "Zoë", "10", "2024-01-01", "10.0.0.1", "{\"a\":1}", "x y"];

/// Returns a query over `table` with `columns`: its source, then one string per operator.
pub fn query(rng: &mut impl Rng, table: &str, columns: &[(String, Type)]) -> Vec<String> {
    let mut writer = Writer { rng, table: table.to_owned(), columns: columns.to_vec(), next: 0, joins: 0 };
    let mut stages = vec![table.to_owned()];
    for _ in 0..writer.below(6) + 1 {
        let stage = writer.operator(columns);
        stages.push(stage);
        if writer.columns.is_empty() {
            break;
        }
    }
    stages
}

struct Writer<'r, R> {
    rng: &'r mut R,
    table: String,
    columns: Vec<(String, Type)>,
    /// The number of the next new column.
    next: usize,
    /// The number of joins so far: each multiplies rows.
    joins: usize,
}

impl<R: Rng> Writer<'_, R> {
    fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        list.choose(self.rng).expect("a list with something in it")
    }

    fn new_name(&mut self) -> String {
        self.next += 1;
        format!("c{}", self.next)
    }

    fn column(&mut self) -> (String, Type) {
        let columns = self.columns.clone();
        self.pick(&columns).clone()
    }

    fn columns_but_dynamic(&self) -> Vec<(String, Type)> {
        self.columns.iter().filter(|(_, ty)| *ty != Type::Dynamic).cloned().collect()
    }

    fn operator(&mut self, all: &[(String, Type)]) -> String {
        match self.below(20) {
            0..3 => format!("where {}", self.expr(Type::Bool, 3)),
            3..5 => self.extend(),
            5..7 => self.project(),
            7..9 => self.summarize(),
            9 => self.distinct(),
            10 => self.sort(),
            11 => format!("take {}", self.below(30)),
            12 => self.mv_expand(),
            13 => self.join(all),
            14 => self.search(),
            15 => self.make_series(),
            16..18 => self.parse(),
            18 => self.scan(),
            _ => self.union(all),
        }
    }

    fn extend(&mut self) -> String {
        let items: Vec<String> = (0..self.below(3) + 1)
            .map(|_| {
                let (text, ty) = self.any_expr();
                // Sometimes a column is replaced, which must not affect the others.
                let name = if self.one_in(4) { self.column().0 } else { self.new_name() };
                (name, ty, text)
            })
            .fold(Vec::<(String, Type, String)>::new(), |mut items, item| {
                if items.iter().all(|(name, ..)| *name != item.0) {
                    items.push(item);
                }
                items
            })
            .into_iter()
            .map(|(name, ty, text)| {
                match self.columns.iter_mut().find(|(existing, _)| *existing == name) {
                    Some(column) => column.1 = ty,
                    None => self.columns.push((name.clone(), ty)),
                }
                format!("{name} = {text}")
            })
            .collect();
        format!("extend {}", items.join(", "))
    }

    fn project(&mut self) -> String {
        if self.one_in(4) && self.columns.len() > 1 {
            let (name, _) = self.column();
            self.columns.retain(|(other, _)| *other != name);
            return format!("project-away {name}");
        }
        let mut columns = Vec::new();
        let mut items = Vec::new();
        for _ in 0..self.below(4) + 1 {
            let (name, ty) = self.column();
            let (text, ty) = if self.one_in(2) { (name, ty) } else { self.any_expr() };
            let name = self.new_name();
            items.push(format!("{name} = {text}"));
            columns.push((name, ty));
        }
        self.columns = columns;
        format!("project {}", items.join(", "))
    }

    fn keys(&mut self) -> Vec<(String, Type, String)> {
        (0..self.below(3))
            .filter_map(|_| {
                let keys = self.columns_but_dynamic();
                let (name, ty) = keys.choose(self.rng)?.clone();
                let text = match ty {
                    Type::Datetime | Type::Timespan if self.one_in(2) => format!("bin({name}, 1h)"),
                    Type::Long | Type::Real if self.one_in(2) => format!("bin({name}, 10)"),
                    _ => name,
                };
                Some((self.new_name(), ty, text))
            })
            .collect()
    }

    fn summarize(&mut self) -> String {
        let keys = self.keys();
        let mut columns: Vec<(String, Type)> = keys.iter().map(|(name, ty, _)| (name.clone(), *ty)).collect();
        let mut aggregates = Vec::new();
        for _ in 0..self.below(3) + 1 {
            let Some((text, ty)) = self.aggregate() else { continue };
            let name = self.new_name();
            aggregates.push(format!("{name} = {text}"));
            columns.push((name, ty));
        }
        if aggregates.is_empty() {
            aggregates.push("rows = count()".to_owned());
            columns.push(("rows".to_owned(), Type::Long));
        }
        self.columns = columns;
        let keys: Vec<String> = keys.into_iter().map(|(name, _, text)| format!("{name} = {text}")).collect();
        let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
        format!("summarize {}{by}", aggregates.join(", "))
    }

    fn aggregate(&mut self) -> Option<(String, Type)> {
        let functions: Vec<&AggregateFunction> =
            aggregate_functions().filter(|f| !INEXACT.contains(&f.name) && !f.returns_arguments).collect();
        let function = *self.pick(&functions);
        let (arguments, types) = self.arguments(function.params)?;
        let several = function.name.starts_with("percentiles");
        let ty = function.returns.resolve(&types);
        (!several).then(|| (format!("{}({})", function.name, arguments.join(", ")), ty))
    }

    fn distinct(&mut self) -> String {
        let keys = self.columns_but_dynamic();
        if keys.is_empty() {
            return "count".to_owned().tap(|_| self.columns = vec![("Count".to_owned(), Type::Long)]);
        }
        let mut chosen = vec![self.pick(&keys).clone()];
        let other = self.pick(&keys).clone();
        if other != chosen[0] {
            chosen.push(other);
        }
        self.columns = chosen;
        let names: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        format!("distinct {}", names.join(", "))
    }

    fn sort(&mut self) -> String {
        let Some((name, _)) = self.columns_but_dynamic().choose(self.rng).cloned() else { return "take 7".to_owned() };
        let order = *self.pick(&["", " asc", " desc", " asc nulls last", " desc nulls first"]);
        match self.below(3) {
            0 => format!("top {} by {name}{order}", self.below(9)),
            1 => format!("sort by {name}{order}"),
            _ => format!("sort by {name}{order} | take {}", self.below(9)),
        }
    }

    fn mv_expand(&mut self) -> String {
        let text = self.expr(Type::Dynamic, 1);
        let name = self.new_name();
        let (to, ty) = match self.below(4) {
            0 => (" to typeof(long)", Type::Long),
            1 => (" to typeof(string)", Type::String),
            _ => ("", Type::Dynamic),
        };
        self.columns.push((name.clone(), ty));
        let limit = if self.one_in(3) { " limit 2" } else { "" };
        format!("mv-expand {name} = {text}{to}{limit}")
    }

    /// Bounds keep the series short.
    fn make_series(&mut self) -> String {
        let numbers: Vec<String> =
            self.columns.iter().filter(|(_, ty)| *ty == Type::Long).map(|(name, _)| name.clone()).collect();
        let Some(axis) = numbers.choose(self.rng).cloned() else { return "take 7".to_owned() };
        let keys = self.columns_but_dynamic();
        let key = keys.choose(self.rng).filter(|(name, _)| *name != axis).cloned();
        let by = key.as_ref().map_or(String::new(), |(name, _)| format!(" by {name}"));
        let (count, kind) = (self.new_name(), self.pick(&["", " kind=nonempty"]));
        let query = format!("make-series{kind} {count} = count() on {axis} from -3 to {} step 2{by}", self.below(30));
        self.columns = key.into_iter().chain([(count, Type::Dynamic), (axis, Type::Dynamic)]).collect();
        query
    }

    /// Parses a value of any type, sometimes into a column that exists.
    fn parse(&mut self) -> String {
        let source = *self.pick(&Type::ALL);
        let value = self.expr(source, 1);
        let first = if self.one_in(4) { self.column().0 } else { self.new_name() };
        let (second, ty) =
            (self.new_name(), *self.pick(&[Type::String, Type::Long, Type::Real, Type::Bool, Type::Dynamic]));
        for (name, ty) in [(&first, ty), (&second, Type::String)] {
            match self.columns.iter_mut().find(|(existing, _)| existing == name) {
                Some(column) => column.1 = ty,
                None => self.columns.push((name.clone(), ty)),
            }
        }
        if self.one_in(4) {
            let with = *self.pick(&["", " with (pair_delimiter=',', kv_delimiter=':', quote='\"')"]);
            return format!("parse-kv {value} as ({first}:{ty}, {second}:string){with}");
        }
        let keyword = *self.pick(&["parse", "parse-where", "parse kind=relaxed", "parse kind=regex"]);
        let begin = *self.pick(&["", "* 'a' ", "* '-' ", "'1' "]);
        let (delimiter, end) = (*self.pick(&["-", " ", ":", "0"]), *self.pick(&["", " '0' *"]));
        format!("{keyword} {value} with {begin}{first}:{ty} '{delimiter}' {second}{end}")
    }

    /// Steps whose conditions read the row and a step before.
    fn scan(&mut self) -> String {
        let (column, ty) = self.column();
        let (total, kept, id) = (self.new_name(), self.new_name(), self.new_name());
        let mut steps = Vec::new();
        for step in 0..self.below(3) + 1 {
            let of = self.below(step + 1);
            let state = *self.pick(&["isnull(s$.total)", "s$.total < 9", "isnotnull(s$.column)", "true"]);
            let state = state.replace('$', &of.to_string()).replace("total", &total).replace("column", &column);
            let (symbol, row) = (*self.pick(&["and", "or"]), self.expr(Type::Bool, 2));
            let output = *self.pick(&["", "", " output=last", " output=none"]);
            let number = self.expr(Type::Long, 1);
            let values = format!("{total} = {number} + coalesce(s{of}.{total}, 0), {kept} = s{of}.{column}");
            let values = if self.one_in(3) { String::new() } else { format!(" => {values}") };
            steps.push(format!("step s{step}{output}: {state} {symbol} {row}{values};"));
        }
        let declared = format!("{total}:long, {kept}:{ty}");
        self.columns.extend([(total, Type::Long), (kept, ty), (id.clone(), Type::Long)]);
        format!("serialize | scan with_match_id={id} declare ({declared}) with ({})", steps.join(" "))
    }

    fn union(&mut self, all: &[(String, Type)]) -> String {
        let name = self.new_name();
        let (first, ty) = self.pick(all).clone();
        // Leaves out names of the other branch that clash with a column of another type in this branch.
        let clash = self.columns.iter().any(|(other, other_ty)| *other == first && *other_ty != ty);
        let table = self.table.clone();
        if clash {
            return format!("union ({table} | take 3 | project {name} = 1)")
                .tap(|_| self.columns.push((name, Type::Long)));
        }
        if self.columns.iter().all(|(other, _)| *other != first) {
            self.columns.push((first.clone(), ty));
        }
        let count = self.below(9);
        format!("union ({table} | take {count} | project {first})")
    }

    /// Searches for a word, which may also occur before and after it.
    fn search(&mut self) -> String {
        let word = *self.pick(WORDS);
        let (begin, end) = (*self.pick(&["", "*"]), *self.pick(&["", "*"]));
        let kind = *self.pick(&["", "kind=case_sensitive "]);
        let condition = match self.below(3) {
            0 => String::new(),
            1 => format!(" or {}", self.expr(Type::Bool, 2)),
            _ => " and not(* has 'a')".to_owned(),
        };
        if self.columns.iter().all(|(name, _)| name != "$table") {
            self.columns.insert(0, ("$table".to_owned(), Type::String));
        }
        format!("search {kind}'{begin}{word}{end}'{condition}")
    }

    /// Joins with a few rows of the table, on a column of either side.
    fn join(&mut self, all: &[(String, Type)]) -> String {
        let is_key =
            |column: &&(String, Type)| column.1 != Type::Dynamic && self.columns.iter().any(|(_, ty)| *ty == column.1);
        let keys: Vec<(String, Type)> = all.iter().filter(is_key).cloned().collect();
        if keys.is_empty() || self.joins == 2 {
            return "take 11".to_owned();
        }
        self.joins += 1;
        let (key, ty) = self.pick(&keys).clone();
        let own: Vec<String> =
            self.columns.iter().filter(|(_, other)| *other == ty).map(|(name, _)| name.clone()).collect();
        let own = self.pick(&own).clone();
        let (value, value_ty) = self.pick(all).clone();
        let (key_name, value_name) = (self.new_name(), self.new_name());
        let (kind, _) = *self.pick(JOIN_KINDS);
        let right = [(key_name.clone(), ty), (value_name.clone(), value_ty)];
        if kind.starts_with("rightsemi") || kind.starts_with("rightanti") {
            self.columns = right.to_vec();
        } else if !kind.contains("semi") && !kind.contains("anti") {
            self.columns.extend(right);
        }
        let (table, count) = (self.table.clone(), self.below(20));
        let source = *self.pick(&["", " | where long_ > 3", " | distinct *"]);
        let source = if source.contains('*') { format!(" | distinct {key}, {value}") } else { source.to_owned() };
        let source = if value_ty == Type::Dynamic || key == value { String::new() } else { source };
        let right = format!("{table}{source} | take {count} | project {key_name} = {key}, {value_name} = {value}");
        format!("join kind={kind} ({right}) on $left.{own} == $right.{key_name}")
    }

    /// An expression of any type.
    fn any_expr(&mut self) -> (String, Type) {
        if self.one_in(2)
            && let Some(call) = self.call()
        {
            return call;
        }
        let ty = *self.pick(&Type::ALL);
        (self.expr(ty, 2), ty)
    }

    /// A call of some function of the registry.
    fn call(&mut self) -> Option<(String, Type)> {
        let fits = |f: &&ScalarFunction| f.volatility != Volatility::Row && !LARGE.contains(&f.name);
        let functions: Vec<&ScalarFunction> = scalar_functions().filter(fits).collect();
        let function = *self.pick(&functions);
        let overload = self.pick(function.overloads);
        let (arguments, types) = self.arguments(overload.params)?;
        // Only the binder knows the type of a result computed from constants.
        let text = format!("tostring({}({}))", function.name, arguments.join(", "));
        match overload.returns {
            coldcase::functions::signature::Returns::Type(ty) if self.one_in(2) => {
                Some((format!("{}({})", function.name, arguments.join(", ")), ty))
            }
            _ => Some((text, Type::String)).filter(|_| !types.is_empty()),
        }
    }

    fn arguments(&mut self, params: &[Param]) -> Option<(Vec<String>, Vec<Type>)> {
        let (mut texts, mut types) = (Vec::new(), Vec::new());
        let mut same = None;
        for param in params {
            if matches!(param.occurs, Occurs::Optional) && self.one_in(2) {
                break;
            }
            let ty = match param.accepts {
                Accepts::Type(ty) => ty,
                Accepts::OneOf(types) | Accepts::Only(types) | Accepts::Exactly(types) => *self.pick(types),
                Accepts::Same(variable) => *same.get_or_insert_with(|| *self.pick(variable.types)),
                Accepts::Any => *self.pick(&Type::ALL),
                Accepts::Table | Accepts::Column => return None,
            };
            let text = if param.constant || self.one_in(6) { self.literal(ty) } else { self.expr(ty, 1) };
            types.push(same.filter(|_| matches!(param.accepts, Accepts::Same(_))).or(param.accepts.cast_target(ty))?);
            texts.push(text);
        }
        Some((texts, types))
    }

    /// An expression of type `ty`.
    fn expr(&mut self, ty: Type, depth: usize) -> String {
        let columns: Vec<String> =
            self.columns.iter().filter(|(_, other)| *other == ty).map(|(name, _)| name.clone()).collect();
        if depth == 0 || self.one_in(3) {
            return if columns.is_empty() || self.one_in(4) { self.literal(ty) } else { self.pick(&columns).clone() };
        }
        let d = depth - 1;
        match ty {
            Type::Bool => self.condition(d),
            Type::Int => format!("toint({})", self.expr(Type::Long, d)),
            Type::Long => self.long(d),
            Type::Real => match self.below(3) {
                0 => format!("({} * 0.5)", self.expr(Type::Real, d)),
                1 => format!("({} / 2.0)", self.expr(Type::Long, d)),
                _ => format!("iff({}, {}, {})", self.expr(Type::Bool, d), self.expr(ty, d), self.literal(ty)),
            },
            Type::Decimal => format!("({} + {})", self.expr(ty, d), self.literal(ty)),
            Type::String => self.text(d),
            Type::Datetime => match self.below(3) {
                0 => format!("bin({}, 1d)", self.expr(ty, d)),
                1 => format!("({} + {})", self.expr(ty, d), self.literal(Type::Timespan)),
                _ => format!("startofday({})", self.expr(ty, d)),
            },
            Type::Timespan => match self.below(2) {
                0 => format!("({} - {})", self.expr(Type::Datetime, d), self.literal(Type::Datetime)),
                _ => format!("({} * 2)", self.expr(ty, d)),
            },
            Type::Guid => format!("toguid({})", self.expr(Type::String, d)),
            Type::Dynamic => self.dynamic(d),
        }
    }

    fn condition(&mut self, d: usize) -> String {
        match self.below(9) {
            0 => format!("({} and {})", self.expr(Type::Bool, d), self.expr(Type::Bool, d)),
            1 => format!("({} or {})", self.expr(Type::Bool, d), self.expr(Type::Bool, d)),
            2 => format!("not({})", self.expr(Type::Bool, d)),
            3 => {
                let symbol =
                    *self.pick(&["==", "!=", "=~", "has", "!has", "contains", "startswith", "endswith", "in~"]);
                let word = self.literal(Type::String);
                let word = if symbol == "in~" { format!("({word}, 'a')") } else { word };
                format!("{} {symbol} {word}", self.expr(Type::String, d))
            }
            4 => {
                let ty = *self.pick(&[Type::Long, Type::Real, Type::Datetime, Type::Timespan, Type::Decimal]);
                let symbol = *self.pick(&["==", "!=", "<", "<=", ">", ">="]);
                format!("{} {symbol} {}", self.expr(ty, d), self.expr(ty, d))
            }
            5 => {
                let ty = *self.pick(&[Type::Long, Type::Datetime, Type::Real]);
                let not = if self.one_in(3) { "!" } else { "" };
                format!("{} {not}between ({} .. {})", self.expr(ty, d), self.literal(ty), self.literal(ty))
            }
            6 => {
                let ty = *self.pick(&[Type::Long, Type::String, Type::Guid]);
                let not = if self.one_in(3) { "!" } else { "" };
                format!("{} {not}in ({}, {})", self.expr(ty, d), self.literal(ty), self.literal(ty))
            }
            7 => {
                let ty = *self.pick(&[Type::Long, Type::Datetime, Type::Dynamic, Type::Bool]);
                format!("isnull({})", self.expr(ty, d))
            }
            _ => format!("isempty({})", self.expr(Type::String, d)),
        }
    }

    fn long(&mut self, d: usize) -> String {
        match self.below(5) {
            0 => format!("strlen({})", self.expr(Type::String, d)),
            1 => format!("tolong({})", self.expr(Type::Dynamic, d)),
            2 => {
                format!("iff({}, {}, {})", self.expr(Type::Bool, d), self.expr(Type::Long, d), self.literal(Type::Long))
            }
            _ => {
                let symbol = *self.pick(&["+", "-", "*", "/", "%"]);
                format!("({} {symbol} {})", self.expr(Type::Long, d), self.expr(Type::Long, d))
            }
        }
    }

    fn text(&mut self, d: usize) -> String {
        match self.below(4) {
            0 => format!("strcat({}, '-', {})", self.expr(Type::String, d), self.expr(Type::Long, d)),
            1 => format!("tolower({})", self.expr(Type::String, d)),
            2 => format!("substring({}, {})", self.expr(Type::String, d), self.below(3)),
            _ => {
                let ty = *self.pick(&Type::ALL);
                format!("tostring({})", self.expr(ty, d))
            }
        }
    }

    fn dynamic(&mut self, d: usize) -> String {
        match self.below(4) {
            0 => format!("pack_array({}, {})", self.expr(Type::Long, d), self.expr(Type::String, d)),
            1 => format!("split({}, '-')", self.expr(Type::String, d)),
            _ => {
                let columns: Vec<String> =
                    self.columns.iter().filter(|(_, ty)| *ty == Type::Dynamic).map(|(name, _)| name.clone()).collect();
                match columns.choose(self.rng).cloned() {
                    Some(name) => format!("{name}{}", self.pick(&[".a", ".b", "[0]", "[-1]", ".b.c", "['a'][1]"])),
                    None => self.literal(Type::Dynamic),
                }
            }
        }
    }

    /// A literal of type `ty`, sometimes null.
    pub fn literal(&mut self, ty: Type) -> String {
        if ty != Type::String && self.one_in(8) {
            return format!("{ty}(null)");
        }
        match ty {
            Type::Bool => (*self.pick(&["true", "false"])).to_owned(),
            Type::Int => format!("int({})", *self.pick(&[0, 1, -1, 7, i32::MAX])),
            Type::Long => (*self.pick(&["0", "1", "-1", "2", "10", "9223372036854775807"])).to_owned(),
            Type::Real => (*self.pick(&["0.0", "0.5", "-1.25", "1e300", "real(nan)", "real(-inf)"])).to_owned(),
            Type::Decimal => (*self.pick(&["decimal(0)", "decimal(1.5)", "decimal(-100.25)"])).to_owned(),
            Type::String => format!("'{}'", *self.pick(WORDS)),
            Type::Datetime => (*self.pick(&["datetime(2024-01-01)", "datetime(2024-02-29 12:30:00.5)"])).to_owned(),
            Type::Timespan => (*self.pick(&["0s", "1h", "-1d", "1tick"])).to_owned(),
            Type::Guid => "guid(00000000-0000-0000-0000-000000000001)".to_owned(),
            Type::Dynamic => {
                let json = ["1", "\"a\"", "[1, 2.5, \"x\", null]", "{\"a\": 1, \"b\": {\"c\": [true]}}", "[]", "{}"];
                format!("dynamic({})", self.pick(&json))
            }
        }
    }
}

/// Runs a side effect on a value.
trait Tap: Sized {
    fn tap(self, run: impl FnOnce(&Self)) -> Self {
        run(&self);
        self
    }
}

impl Tap for String {}
