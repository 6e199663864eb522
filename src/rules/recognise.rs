//! Recognises rules by their keys.
//!
//! Sources: the schema of rules of the Azure-Sentinel repository, the resources
//! `Microsoft.SecurityInsights/alertRules`,
//! `Microsoft.Insights/scheduledQueryRules` (2018-04-16, 2021-08-01 and later) and
//! `Microsoft.OperationalInsights/workspaces/savedSearches` of Azure Resource Manager, and `detectionRule` of Microsoft
//! Graph.

use super::fields::{Fields, Notation, Read, wrong};
use super::node::{Node, NodeContent};
use super::omissions::omissions;
use super::{AlertRule, DetectionRule, HuntRule, RuleKind, RuleQuery, RuleText, TextMap};
use super::{custom_detection, hunt_rule, log_alert, sentinel_alert, validate};

/// Keys under which resources stand: of templates, of templates in them, and of lists that a service returns.
const CONTAINERS: &[&str] = &["resources", "properties", "template", "mainTemplate", "value"];

/// Keys of scheduled rules of Microsoft Sentinel that hunting queries lack.
const SCHEDULED_KEYS: &[&str] = &["queryFrequency", "queryPeriod", "triggerOperator", "severity"];

/// A rule and where its fields are.
pub(super) struct FoundRule<'a> {
    /// The rule.
    pub rule: DetectionRule,
    /// The whole rule.
    pub node: &'a Node,
    /// Its `properties`, if it is a resource.
    pub properties: Option<&'a Node>,
    notation: Notation,
}

impl FoundRule<'_> {
    /// Reads the queries of the rule, and the fields that describe their results.
    pub fn hunt_rules(self) -> Vec<Read<HuntRule>> {
        let Self { rule, node, properties, notation } = self;
        hunt_rule::read(rule, Fields::new(properties.unwrap_or(node), notation))
    }

    /// Reads all fields of an alert rule.
    ///
    /// # Errors
    /// A field is missing or wrong, or the rule is of a kind that runs no scheduled query.
    pub fn alert_rule(self) -> Read<AlertRule> {
        let Self { rule, node, properties, notation } = self;
        let resource = Fields::new(node, notation);
        let fields = properties.map_or(resource, |properties| Fields::new(properties, notation));
        let DetectionRule { id, name, kind, mut queries, span } = rule;
        if kind == RuleKind::Scheduled && resource.value("kind").is_none() {
            return wrong(span, "the rule has no `kind`: expected Scheduled or NRT");
        }
        if let RuleKind::WithoutQuery | RuleKind::Hunting | RuleKind::SavedSearch = kind {
            let kind = resource.text("kind")?.unwrap_or(kind.name());
            return wrong(span, format!("a rule of kind `{kind}` is no alert rule with a query"));
        }
        if queries.len() > 1 {
            return wrong(span, format!("the rule has {} queries; exactly one is supported", queries.len()));
        }
        let Some(query) = queries.pop() else { return wrong(span, "the rule has no query") };
        if query.is_expression {
            let reason = "the query is an expression of the template, which only a deployment evaluates";
            return wrong(query.key, reason);
        }
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            let key = if notation.has_iso_durations { "displayName" } else { "name" };
            return wrong(span, format!("the rule has no `{key}`"));
        };
        let text = RuleText { id, name, kind, query, span };
        let rule = match kind {
            RuleKind::LogAlert => log_alert::read(text, resource, fields),
            RuleKind::CustomDetection => custom_detection::read(text, fields),
            _ => sentinel_alert::read(text, fields),
        }?;
        let properties = properties.map(|properties| Fields::new(properties, notation));
        // A resource whose condition is false is not deployed.
        let is_enabled = rule.is_enabled && !matches!(resource.flag("condition"), Ok(Some(false)));
        let rule = AlertRule { omissions: omissions(kind, resource, properties), is_enabled, ..rule };
        validate::query(&rule).into_iter().next().map_or(Ok(rule), Err)
    }
}

/// Returns the rules below `root`, in the order of the file.
pub(super) fn rules<'a>(root: &'a Node, file: &'a str) -> Vec<FoundRule<'a>> {
    let mut found = FoundRules { file, rules: Vec::new() };
    found.search(root);
    found.rules
}

struct FoundRules<'a> {
    file: &'a str,
    rules: Vec<FoundRule<'a>>,
}

impl<'a> FoundRules<'a> {
    /// Adds the rules in `node`. The depth of nodes is limited.
    fn search(&mut self, node: &'a Node) {
        if !node.is_mapping() {
            return node.children().for_each(|child| self.search(child));
        }
        let rule = self.rule(node);
        let is_rule = rule.is_some();
        let properties = node.get(&["properties"]).filter(|properties| properties.is_mapping());
        self.rules.extend(rule.map(|rule| {
            let has_iso_durations = properties.is_some() || rule.kind == RuleKind::CustomDetection;
            FoundRule { rule, node, properties, notation: Notation { has_iso_durations } }
        }));
        for (name, child) in CONTAINERS.iter().filter_map(|name| Some((*name, node.entry(name)?.1))) {
            // A template may name its resources: {"resources": {"rule": {...}}}.
            match name {
                "resources" => child.children().for_each(|resource| self.search(resource)),
                _ if !is_rule => self.search(child),
                _ => {}
            }
        }
    }

    fn rule(&self, node: &Node) -> Option<DetectionRule> {
        if let Some(condition) = node.get(&["queryCondition"]) {
            let queries = self.query(condition, "queryText").into_iter().collect();
            return Some(rule(node, None, RuleKind::CustomDetection, queries));
        }
        let resource = node.get(&["type"]).and_then(Node::text).unwrap_or("").to_ascii_lowercase();
        let is = |name: &str| resource.ends_with(name);
        match node.get(&["properties"]).filter(|properties| properties.is_mapping()) {
            Some(properties) if is("/alertrules") || is("/alertruletemplates") => Some(self.sentinel(node, properties)),
            Some(properties) if is("/scheduledqueryrules") => Some(self.log_alert(node, properties)),
            Some(properties) if is("/savedsearches") => {
                let queries = self.query(properties, "query").into_iter().collect();
                Some(rule(node, Some(properties), RuleKind::SavedSearch, queries))
            }
            Some(properties) if resource.is_empty() && properties.get(&["criteria", "allOf"]).is_some() => {
                Some(self.log_alert(node, properties))
            }
            Some(properties) if resource.is_empty() && properties.entry("query").is_some() => {
                Some(self.sentinel(node, properties))
            }
            Some(_) => None,
            None => self.file_of_sentinel(node),
        }
    }

    /// A rule or hunting query as a file of its own.
    fn file_of_sentinel(&self, node: &Node) -> Option<DetectionRule> {
        let is_named = ["id", "name", "displayName"].iter().any(|key| node.entry(key).is_some());
        let is_rule = node.entry("kind").is_some() && node.entry("severity").is_some();
        let queries: Vec<RuleQuery> = self.query(node, "query").into_iter().collect();
        (is_named && (is_rule || !queries.is_empty())).then(|| rule(node, None, sentinel_kind(node), queries))
    }

    /// A rule of Microsoft Sentinel as a resource.
    fn sentinel(&self, node: &Node, properties: &Node) -> DetectionRule {
        let queries = self.query(properties, "query").into_iter().collect();
        rule(node, Some(properties), sentinel_kind(node), queries)
    }

    /// Reads a log search alert rule of Azure Monitor (API version 2018, or 2021 and later).
    fn log_alert(&self, node: &Node, properties: &Node) -> DetectionRule {
        let criteria = properties.get(&["criteria", "allOf"]).into_iter().flat_map(Node::children);
        let source = properties.get(&["source"]);
        let queries = criteria.chain(source).filter_map(|criterion| self.query(criterion, "query")).collect();
        rule(node, Some(properties), RuleKind::LogAlert, queries)
    }

    /// The string under `name`.
    fn query(&self, node: &Node, name: &str) -> Option<RuleQuery> {
        let (key, value) = node.entry(name)?;
        let (text, is_expression) = match &value.content {
            NodeContent::String(text) => (text, false),
            NodeContent::Expression(text) => (text, true),
            _ => return None,
        };
        // A bracket at the beginning of a string of a template may be written twice.
        let escaped = || TextMap::of_string(&format!("[{text}"), self.file, value.span);
        let positions = TextMap::of_string(text, self.file, value.span)
            .or_else(|| text.starts_with('[').then(escaped)?.map(|positions| positions.without_start(1)));
        Some(RuleQuery { text: text.clone(), key: key.span, positions, is_expression })
    }
}

fn sentinel_kind(node: &Node) -> RuleKind {
    let has = |key: &&str| {
        let properties = node.get(&["properties"]).unwrap_or(node);
        properties.get(&[key]).is_some_and(|value| !value.is_null())
    };
    match node.get(&["kind"]).and_then(Node::text) {
        None if SCHEDULED_KEYS.iter().any(has) => RuleKind::Scheduled,
        None => RuleKind::Hunting,
        Some(kind) if kind.eq_ignore_ascii_case("Scheduled") => RuleKind::Scheduled,
        Some(kind) if kind.eq_ignore_ascii_case("NRT") => RuleKind::NearRealTime,
        Some(_) => RuleKind::WithoutQuery,
    }
}

/// A rule with the names that `node` or its `properties` have.
fn rule(node: &Node, properties: Option<&Node>, kind: RuleKind, queries: Vec<RuleQuery>) -> DetectionRule {
    let text = |key: &str| [properties, Some(node)].into_iter().flatten().find_map(|node| node.get(&[key])?.written());
    let display = text("displayName");
    let id = text("id").or_else(|| text("name").filter(|_| display.is_some()));
    let name = display.or_else(|| text("title")).or_else(|| text("name"));
    DetectionRule { id: id.map(str::to_owned), name: name.map(str::to_owned), kind, queries, span: node.span }
}
