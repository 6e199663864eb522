//! Binds bag_unpack, which makes one column of each property in a column of bags.
//!
//! Source: the reference's page on the plugin, and results of the engine. New columns are ordered by name. They have
//! the type of all their values, or are dynamic if the values have several types.

use std::collections::{BTreeMap, BTreeSet};

use super::MAX_COLUMNS;
use super::arguments::PluginCall;
use crate::binder::operator::project::identity;
use crate::binder::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::Expr;
use crate::functions;
use crate::plan::{LogicalPlan, Unnest, UnnestItem, UnnestOutput};
use crate::syntax::ast;
use crate::types::dynamic::{Kind, Path, Step};
use crate::types::{Field, Schema, Type, Value};

/// What happens with a property that has the name of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Error,
    ReplaceSource,
    KeepSource,
}

/// The columns of the input other than the bag.
struct SourceColumns {
    columns: Vec<(String, Expr)>,
    conflict: Conflict,
}

/// A property of the bags, which becomes a column.
struct Property {
    key: String,
    name: String,
    ty: Type,
}

impl Binder<'_> {
    pub(super) fn bag_unpack(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let bag = self.plugin_column(arguments.required(0)?, input.schema())?;
        if bag.ty != Type::Dynamic {
            let message = format!("`bag_unpack` needs a dynamic column, not one of type {}", bag.ty);
            let help = "convert it with parse_json(...) in an `extend` before `evaluate`";
            return Err(self.report(Diagnostic::new(Code::ArgumentType, bag.span, message).help(help)));
        }
        let prefix = self.plugin_text(arguments.optional(1))?.unwrap_or_default();
        let conflict = self.conflict(arguments.optional(2))?;
        let ignored = self.plugin_texts(arguments.optional(3))?;
        let input = self.repeatable(input, "bag_unpack")?;
        let mut columns = identity(input.schema());
        let Some(at) = bag.as_column() else { return Err(Failed::Reported) };
        columns.remove(at);
        let properties = match &call.call.schema {
            Some(schema) => {
                let source = SourceColumns { columns, conflict };
                return Ok(input.project(self.declared(&bag, schema, &prefix, &source)?));
            }
            None => {
                self.known_while_binding(&input, "bag_unpack", call.call.plugin.span)?;
                self.properties(&input, &bag, &prefix)?
            }
        };
        let new = properties.into_iter().filter(|property| !ignored.contains(&property.key));
        for property in new.collect::<Vec<_>>() {
            self.add_property(&bag, &property, &mut columns, conflict)?;
        }
        Ok(input.project(columns))
    }

    fn conflict(&mut self, argument: Option<&ast::ParsedExpr>) -> Bind<Conflict> {
        match self.plugin_text(argument)?.as_deref() {
            None | Some("error") => Ok(Conflict::Error),
            Some("replace_source") => Ok(Conflict::ReplaceSource),
            Some("keep_source") => Ok(Conflict::KeepSource),
            Some(_) => {
                let span = argument.map_or(Span::default(), |argument| argument.span);
                self.error(Code::InvalidValue, span, "expected one of `error`, `replace_source`, `keep_source`")
            }
        }
    }

    /// Appends the column of a property.
    fn add_property(
        &mut self,
        bag: &Expr,
        property: &Property,
        columns: &mut Vec<(String, Expr)>,
        conflict: Conflict,
    ) -> Bind<()> {
        match (columns.iter().position(|(name, _)| *name == property.name), conflict) {
            (Some(_), Conflict::Error) => {
                let message = format!("the property `{}` has the name of a column", property.name);
                let help = "add columnsConflict='keep_source' or 'replace_source', or a prefix: bag_unpack(d, 'd_')";
                return Err(self.report(Diagnostic::new(Code::DuplicateColumn, bag.span, message).help(help)));
            }
            (Some(_), Conflict::KeepSource) => return Ok(()),
            (Some(source), Conflict::ReplaceSource) => drop(columns.remove(source)),
            (None, _) => {}
        }
        columns.push((property.name.clone(), value_of(bag, &property.key).cast(property.ty)));
        Ok(())
    }

    /// Returns the declared columns. If they keep those of the input, these come first.
    fn declared(
        &mut self,
        bag: &Expr,
        schema: &ast::OutputSchema,
        prefix: &str,
        source: &SourceColumns,
    ) -> Bind<Vec<(String, Expr)>> {
        let mut columns = if schema.keeps_input { source.columns.clone() } else { Vec::new() };
        for ast::DatatableColumn { name, ty } in &schema.columns {
            let own = source.columns.iter().find(|(own, _)| *own == name.text).filter(|_| !schema.keeps_input);
            if !schema.keeps_input && columns.iter().any(|(earlier, _)| *earlier == name.text) {
                return Err(self.duplicate_column(name));
            }
            if let Some((_, own)) = own.filter(|_| source.conflict != Conflict::ReplaceSource) {
                columns.push((name.text.clone(), own.clone().cast(*ty)));
                continue;
            }
            let key = name.text.strip_prefix(prefix).unwrap_or(&name.text).to_owned();
            let property = Property { key, name: name.text.clone(), ty: *ty };
            self.add_property(bag, &property, &mut columns, source.conflict)?;
        }
        Ok(columns)
    }

    /// Returns the properties of all bags, by name. The input is computed for this.
    fn properties(&mut self, input: &LogicalPlan, bag: &Expr, prefix: &str) -> Bind<Vec<Property>> {
        let plan = self.property_types(input, bag)?;
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for batch in self.evaluate(&plan)? {
            for row in 0..batch.rows() {
                let text = |column: usize| batch.column(column).text_at(row).unwrap_or_default().to_owned();
                found.entry(text(0)).or_default().insert(text(1));
            }
        }
        if found.len() > MAX_COLUMNS {
            let message = format!("bag_unpack would make {} columns; at most {MAX_COLUMNS} are supported", found.len());
            return Err(Error::Limit(message).into());
        }
        let property = |(key, types): (String, BTreeSet<String>)| Property {
            name: format!("{prefix}{key}"),
            ty: type_of(&types),
            key,
        };
        Ok(found.into_iter().map(property).collect())
    }

    /// Returns a plan of the distinct pairs of a key and the name of the type of its value.
    fn property_types(&mut self, input: &LogicalPlan, bag: &Expr) -> Bind<LogicalPlan> {
        let span = bag.span;
        let is_bag = vec![self.type_name(bag.clone(), span)?, Expr::literal(Value::string(Kind::Bag.name()), span)];
        let is_bag = self.operator_call("==", span, is_bag, span)?;
        let bags = input.clone().filter(is_bag).project([("bag".to_owned(), bag.clone())]);
        let entry = Expr::column(0, Type::Dynamic, span);
        let items = vec![UnnestItem { expr: entry.clone(), ty: Type::Dynamic }];
        let entries = LogicalPlan::Unnest(Unnest {
            input: Box::new(bags),
            items,
            bags_as_arrays: true,
            limit: None,
            output: vec![UnnestOutput::Item(0)],
            schema: Schema::new([Field::new("entry", Type::Dynamic)]),
        });
        let part = |index| entry.clone().path(Path::new(vec![Step::Index(index)]), span);
        let keys = vec![part(0).cast(Type::String), self.type_name(part(1), span)?];
        let schema = Schema::new([Field::new("key", Type::String), Field::new("type", Type::String)]);
        Ok(LogicalPlan::Aggregate { input: Box::new(entries), keys, aggregates: Vec::new(), schema })
    }

    fn type_name(&mut self, value: Expr, span: Span) -> Bind<Expr> {
        let name = ast::Name { text: "gettype".to_owned(), span };
        match functions::scalar_function(&name.text) {
            Some(function) => self.function_call(function, &name, vec![value], span),
            None => Err(self.unknown_function(&name)),
        }
    }
}

fn value_of(bag: &Expr, key: &str) -> Expr {
    bag.clone().path(Path::new(vec![Step::Member(key.to_owned())]), bag.span)
}

/// Returns the type of a column whose values have the types with these names. Nulls fit any type.
fn type_of(names: &BTreeSet<String>) -> Type {
    let mut names = names.iter().filter(|name| *name != Kind::Null.name());
    match (names.next().map(String::as_str), names.next()) {
        (Some("bool"), None) => Type::Bool,
        (Some("long"), None) => Type::Long,
        (Some("double"), None) => Type::Real,
        (Some("string"), None) => Type::String,
        _ => Type::Dynamic,
    }
}
