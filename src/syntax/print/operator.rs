//! Prints tabular operators.

use super::super::ast::{
    Assignment, AxisBounds, ColumnPattern, Evaluate, Find, FindColumn, ForkBranch, JoinCondition, MakeSeries,
    MvExpandItem, NullsOrder, Operator, OperatorKind, Parameter, ParsedExpr, PartitionBody, Pipeline, ReorderItem,
    ReorderOrder, SortExpr, SortOrder, TopNestedLevel,
};
use super::{Printer, value};

impl Printer {
    /// Prints an operator without the `|` before it.
    #[expect(clippy::too_many_lines, reason = "an arm for each operator")]
    pub(super) fn operator(&mut self, kind: &OperatorKind) {
        match kind {
            OperatorKind::Where(condition) => self.keyword("where", condition, Self::expr),
            OperatorKind::Project(columns) => self.columns("project", columns),
            OperatorKind::ProjectAway(columns) => self.patterns("project-away", columns),
            OperatorKind::ProjectByNames(names) => {
                self.text("project-by-names ");
                self.list(names, Self::element);
            }
            OperatorKind::ProjectKeep(columns) => self.patterns("project-keep", columns),
            OperatorKind::ProjectRename(columns) => self.columns("project-rename", columns),
            OperatorKind::ProjectReorder(items) => self.reorder(items),
            OperatorKind::Evaluate(call) => self.evaluate(call),
            OperatorKind::Extend(columns) => self.columns("extend", columns),
            OperatorKind::Summarize { parameters, aggregates, by } => {
                self.summarize(parameters, aggregates, by.as_deref());
            }
            OperatorKind::Consume(parameters) => {
                self.text("consume");
                for parameter in parameters {
                    self.text(" ");
                    self.parameter(parameter);
                }
            }
            OperatorKind::Count(None) => self.text("count"),
            OperatorKind::Count(Some(name)) => self.keyword("count as", name, Self::name),
            OperatorKind::Distinct(columns) => self.columns("distinct", columns),
            OperatorKind::Take(count) => self.keyword("take", count, Self::expr),
            OperatorKind::Sample(count) => self.keyword("sample", count, Self::expr),
            OperatorKind::SampleDistinct { count, of } => self.values_of("sample-distinct", count, of),
            OperatorKind::TopHitters { count, of, by } => {
                self.values_of("top-hitters", count, of);
                if let Some(by) = by {
                    self.keyword(" by", by, Self::assignment);
                }
            }
            OperatorKind::TopNested(levels) => self.list(levels, Self::top_nested_level),
            OperatorKind::Sort(keys) => {
                self.text("sort by ");
                self.list(keys, Self::sort_key);
            }
            OperatorKind::Top { count, by } => {
                self.keyword("top", count, Self::expr);
                self.text(" by ");
                self.sort_key(by);
            }
            OperatorKind::Getschema => self.text("getschema"),
            OperatorKind::Render { chart, properties } => self.render(&chart.text, properties),
            OperatorKind::Parse { drops_unmatched, parameters, value, pattern } => {
                self.parse(*drops_unmatched, parameters, value, pattern);
            }
            OperatorKind::ParseKv { value, keys, properties } => self.parse_kv(value, keys, properties),
            OperatorKind::MakeSeries(series) => self.make_series(series),
            OperatorKind::MvExpand { parameters, items, limit } => {
                self.text("mv-expand ");
                self.expansion(parameters, items, limit.as_ref());
            }
            OperatorKind::Fork(branches) => {
                self.text("fork");
                branches.iter().for_each(|branch| self.fork_branch(branch));
            }
            OperatorKind::Facet { columns, with } => {
                self.text("facet by ");
                self.list(columns, Self::name);
                if let Some(operators) = with {
                    self.text(" with (");
                    self.subquery(operators);
                    self.text(")");
                }
            }
            OperatorKind::Partition { parameters, key, body } => {
                self.text("partition ");
                self.parameters(parameters);
                self.text("by ");
                self.name(key);
                match body {
                    PartitionBody::Operators(operators) => {
                        self.text(" (");
                        self.subquery(operators);
                        self.text(")");
                    }
                    PartitionBody::Pipeline(pipeline) => {
                        self.text(" { ");
                        self.pipeline(pipeline, " | ");
                        self.text(" }");
                    }
                }
            }
            OperatorKind::MvApply { parameters, items, limit, body } => {
                self.text("mv-apply ");
                self.expansion(parameters, items, limit.as_ref());
                self.text(" on (");
                self.subquery(body);
                self.text(")");
            }
            OperatorKind::Union { parameters, tables } => self.union(parameters, tables),
            OperatorKind::Invoke { function, arguments } => {
                self.text("invoke ");
                self.call(function, arguments);
            }
            OperatorKind::Join { parameters, right, on } => self.join("join", parameters, right, on),
            OperatorKind::Lookup { parameters, right, on } => self.join("lookup", parameters, right, on),
            OperatorKind::As { parameters, name } => {
                self.text("as ");
                self.parameters(parameters);
                self.name(name);
            }
            OperatorKind::Reduce { kind, value, properties } => {
                self.text("reduce ");
                self.parameters(kind.as_slice());
                self.keyword("by", value, Self::assignment);
                if !properties.is_empty() {
                    self.text(" with ");
                    self.list(properties, Self::parameter);
                }
            }
            OperatorKind::Scan(scan) => self.scan(scan),
            OperatorKind::Search { parameters, predicate } => self.search(parameters, &[], predicate),
            OperatorKind::Serialize(columns) if columns.is_empty() => self.text("serialize"),
            OperatorKind::Serialize(columns) => self.columns("serialize", columns),
        }
    }

    /// Prints a keyword and its operand, which `each` prints.
    pub(super) fn keyword<T>(&mut self, word: &str, item: &T, each: fn(&mut Self, &T)) {
        self.text(word);
        self.text(" ");
        each(self, item);
    }

    fn top_nested_level(&mut self, level: &TopNestedLevel) {
        self.text("top-nested ");
        if let Some(count) = &level.count {
            self.expr(count);
            self.text(" ");
        }
        self.keyword("of", &level.of, Self::assignment);
        if let Some(others) = &level.others {
            self.keyword(" with others =", others, Self::expr);
        }
        self.keyword(" by", &level.by, Self::assignment);
        self.text(match level.order {
            None => "",
            Some(SortOrder::Ascending) => " asc",
            Some(SortOrder::Descending) => " desc",
        });
    }

    fn values_of(&mut self, word: &str, count: &ParsedExpr, of: &ParsedExpr) {
        self.keyword(word, count, Self::expr);
        self.keyword(" of", of, Self::expr);
    }

    fn columns(&mut self, word: &str, columns: &[Assignment]) {
        self.text(word);
        self.text(" ");
        self.list(columns, Self::assignment);
    }

    fn patterns(&mut self, word: &str, columns: &[ColumnPattern]) {
        self.text(word);
        self.text(" ");
        self.list(columns, Self::column_pattern);
    }

    fn column_pattern(&mut self, column: &ColumnPattern) {
        if column.wildcard { self.pattern(&column.name) } else { self.name(&column.name) }
    }

    fn reorder(&mut self, items: &[ReorderItem]) {
        self.text("project-reorder ");
        self.list(items, |printer, item| {
            printer.column_pattern(&item.pattern);
            printer.text(match item.order {
                None => "",
                Some(ReorderOrder::Ascending) => " asc",
                Some(ReorderOrder::Descending) => " desc",
                Some(ReorderOrder::GrannyAscending) => " granny-asc",
                Some(ReorderOrder::GrannyDescending) => " granny-desc",
            });
        });
    }

    /// Prints parameters, each with a space after it.
    pub(super) fn parameters(&mut self, parameters: &[Parameter]) {
        for parameter in parameters {
            self.parameter(parameter);
            self.text(" ");
        }
    }

    fn summarize(&mut self, parameters: &[Parameter], aggregates: &[Assignment], by: Option<&[Assignment]>) {
        self.text("summarize ");
        self.parameters(parameters);
        self.list(aggregates, Self::assignment);
        if let Some(keys) = by {
            self.text(if aggregates.is_empty() { "by " } else { " by " });
            self.list(keys, Self::assignment);
        }
    }

    fn sort_key(&mut self, key: &SortExpr) {
        self.expr(&key.value);
        self.text(match key.order {
            None => "",
            Some(SortOrder::Ascending) => " asc",
            Some(SortOrder::Descending) => " desc",
        });
        self.text(match key.nulls {
            None => "",
            Some(NullsOrder::First) => " nulls first",
            Some(NullsOrder::Last) => " nulls last",
        });
    }

    /// Prints `render`. Several values of one property are printed as a list.
    fn render(&mut self, chart: &str, properties: &[Parameter]) {
        self.text("render ");
        self.text(chart);
        for (index, property) in properties.iter().enumerate() {
            let repeats = index > 0 && properties[index - 1].name.text == property.name.text;
            self.text(if index == 0 { " with (" } else { ", " });
            if repeats { self.expr(&property.value) } else { self.parameter(property) }
        }
        self.text(if properties.is_empty() { "" } else { ")" });
    }

    fn expansion(&mut self, parameters: &[Parameter], items: &[MvExpandItem], limit: Option<&ParsedExpr>) {
        self.parameters(parameters);
        self.list(items, |printer, item| {
            printer.item(&item.assignment);
            if let Some(ty) = item.to {
                printer.text(&format!(" to typeof({ty})"));
            }
        });
        if let Some(limit) = limit {
            self.keyword(" limit", limit, Self::expr);
        }
    }

    fn fork_branch(&mut self, branch: &ForkBranch) {
        self.text(" ");
        if let Some(name) = &branch.name {
            self.name(name);
            self.text(" = ");
        }
        self.text("(");
        self.subquery(&branch.operators);
        self.text(")");
    }

    /// Prints operators without a source, separated by `|`.
    fn subquery(&mut self, operators: &[Operator]) {
        for (position, operator) in operators.iter().enumerate() {
            if position > 0 {
                self.text(" | ");
            }
            self.operator(&operator.kind);
        }
    }

    fn make_series(&mut self, series: &MakeSeries) {
        self.text("make-series ");
        self.parameters(&series.parameters);
        self.list(&series.items, |printer, item| {
            printer.item(&item.assignment);
            if let Some(default) = &item.default {
                printer.keyword(" default =", default, Self::expr);
            }
        });
        self.keyword(" on", &series.axis, Self::assignment);
        match &series.bounds {
            AxisBounds::FromTo { from, to, step } => {
                for (word, bound) in [(" from", from.as_ref()), (" to", to.as_ref()), (" step", Some(step))] {
                    bound.into_iter().for_each(|bound| self.keyword(word, bound, Self::expr));
                }
            }
            AxisBounds::InRange { start, stop, step } => {
                self.text(" in range(");
                self.list(&[start, stop, step], |printer, bound| printer.expr(bound));
                self.text(")");
            }
        }
        if !series.by.is_empty() {
            self.text(" by ");
            self.list(&series.by, Self::assignment);
        }
    }

    /// Prints an item of an operator that has parameters. If the name of the item is that of a parameter, it gets
    /// brackets.
    fn item(&mut self, assignment: &Assignment) {
        match assignment.names.as_slice() {
            [name] if matches!(name.text.as_str(), "bagexpansion" | "kind" | "with_itemindex") => {
                self.text(&value::bracketed(&name.text));
                self.text(" = ");
                self.expr(&assignment.value);
            }
            _ => self.assignment(assignment),
        }
    }

    pub(super) fn union(&mut self, parameters: &[Parameter], tables: &[Pipeline]) {
        self.text("union ");
        self.parameters(parameters);
        self.list(tables, Self::table);
    }

    pub(super) fn search(&mut self, parameters: &[Parameter], tables: &[Pipeline], predicate: &ParsedExpr) {
        self.text("search ");
        self.parameters(parameters);
        if !tables.is_empty() {
            self.text("in (");
            self.list(tables, Self::table);
            self.text(") ");
        }
        self.expr(predicate);
    }

    pub(super) fn evaluate(&mut self, call: &Evaluate) {
        self.text("evaluate ");
        self.parameters(&call.parameters);
        self.call(&call.plugin, &call.arguments);
        if let Some(schema) = &call.schema {
            let stars = schema.keeps_input.then(|| "*".to_owned());
            let columns =
                schema.columns.iter().map(|column| format!("{}:{}", value::name(&column.name.text), column.ty));
            self.text(&format!(" : ({})", stars.into_iter().chain(columns).collect::<Vec<_>>().join(", ")));
        }
    }

    pub(super) fn find(&mut self, find: &Find) {
        self.text("find ");
        self.parameters(&find.parameters);
        if !find.tables.is_empty() {
            self.text("in (");
            self.list(&find.tables, Self::table);
            self.text(") where ");
        }
        self.expr(&find.predicate);
        if let Some(columns) = &find.columns {
            self.text(" project ");
            self.list(columns, |printer, column| match column {
                FindColumn::Named(name, ty) => {
                    printer.name(name);
                    printer.text(&ty.map_or(String::new(), |ty| format!(":{ty}")));
                }
                FindColumn::Pack(_) => printer.text("pack_all()"),
            });
        }
    }

    fn join(&mut self, word: &str, parameters: &[Parameter], right: &Pipeline, on: &[JoinCondition]) {
        self.text(word);
        self.text(" ");
        self.parameters(parameters);
        self.pipeline(right, " | ");
        self.text(" on ");
        self.list(on, |printer, key| printer.expr(&key.condition));
    }
}
