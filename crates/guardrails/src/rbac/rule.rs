use lotse_gitops_manifest::Object;
use lotse_yaml::{Map, Value};

use crate::Error;
use crate::read::Reader;

/// One rule of a Role or ClusterRole. Empty lists allow nothing, but for `resource_names`: empty means every name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// What may be done; `*` is everything.
    pub verbs: Vec<String>,
    /// API groups; `""` is the core group, `*` every group.
    pub api_groups: Vec<String>,
    /// Resources as `pods` or `pods/log`; `*` is everything, `*/scale` that part of everything. `pods/*` is no pattern.
    pub resources: Vec<String>,
    /// Names of single objects.
    pub resource_names: Vec<String>,
    /// Paths that are no resources; `*` at the end matches what follows.
    pub non_resource_urls: Vec<String>,
}

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the API server asks about resources and other paths, nothing else"
)]
pub enum Action {
    /// On a resource.
    Resource {
        /// As `get`.
        verb: String,
        /// API group; `""` is the core group.
        group: String,
        /// Plural name, as `pods`.
        resource: String,
        /// As `log`; `""` for the resource itself.
        subresource: String,
        /// Where; `""` for the whole cluster.
        namespace: String,
        /// Which one; `""` for requests that name none.
        name: String,
    },
    /// On a path as `/healthz`.
    Path {
        /// As `get`.
        verb: String,
        /// The path.
        path: String,
    },
}

impl Action {
    /// A verb on a resource that is named in a namespace.
    #[must_use]
    pub fn on(verb: &str, group: &str, resource: &str, namespace: &str, name: &str) -> Self {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let own = str::to_owned;
        Self::Resource {
            verb: own(verb),
            group: own(group),
            resource: own(resource),
            subresource: own(subresource),
            namespace: own(namespace),
            name: own(name),
        }
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| item == wanted)
}

fn matches(list: &[String], wanted: &str) -> bool {
    has(list, "*") || has(list, wanted)
}

fn path_matches(list: &[String], path: &str) -> bool {
    list.iter().any(|url| {
        url == "*" || url == path || (url.ends_with('*') && path.starts_with(url.trim_end_matches('*')))
    })
}

impl Rule {
    /// The rules of a Role or ClusterRole.
    pub(crate) fn read_all(object: &Object) -> Result<Vec<Self>, Error> {
        let name = object.to_string();
        let reader = Reader { object: &name };
        let mut rules = Vec::new();
        for (number, rule) in reader.list(Some(object.value()), "", "rules")?.iter().enumerate() {
            rules.push(Self::read(&reader, rule, &format!("/rules/{number}"))?);
        }
        Ok(rules)
    }

    fn read(reader: &Reader<'_>, rule: &Value, at: &str) -> Result<Self, Error> {
        let texts = |key| -> Result<Vec<String>, Error> {
            Ok(reader.texts(Some(rule), at, key)?.into_iter().map(str::to_owned).collect())
        };
        Ok(Self {
            verbs: texts("verbs")?,
            api_groups: texts("apiGroups")?,
            resources: texts("resources")?,
            resource_names: texts("resourceNames")?,
            non_resource_urls: texts("nonResourceURLs")?,
        })
    }

    /// `true` if this rule alone allows the action.
    #[must_use]
    pub fn allows(&self, action: &Action) -> bool {
        match action {
            Action::Resource { verb, group, resource, subresource, name, .. } => {
                let whole = joined(resource, subresource);
                let any = format!("*/{subresource}");
                let resource = matches(&self.resources, &whole)
                    || (!subresource.is_empty() && has(&self.resources, &any));
                matches(&self.verbs, verb)
                    && matches(&self.api_groups, group)
                    && resource
                    && (self.resource_names.is_empty() || has(&self.resource_names, name))
            }
            Action::Path { verb, path } => {
                matches(&self.verbs, verb) && path_matches(&self.non_resource_urls, path)
            }
        }
    }

    /// The rule as it stands in a Role.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        let parts = [
            ("apiGroups", &self.api_groups),
            ("resources", &self.resources),
            ("resourceNames", &self.resource_names),
            ("nonResourceURLs", &self.non_resource_urls),
            ("verbs", &self.verbs),
        ];
        for (key, list) in parts.into_iter().filter(|(_, list)| !list.is_empty()) {
            map.insert(key, list.clone());
        }
        Value::Object(map)
    }

    /// The rule cut into rules of one verb, group, resource and name each.
    pub(crate) fn pieces(&self) -> Vec<Self> {
        let one = |text: &String| vec![text.clone()];
        let mut pieces = Vec::new();
        for verb in &self.verbs {
            for group in &self.api_groups {
                for resource in &self.resources {
                    let piece = Self {
                        verbs: one(verb),
                        api_groups: one(group),
                        resources: one(resource),
                        ..Self::default()
                    };
                    if self.resource_names.is_empty() {
                        pieces.push(piece.clone());
                    }
                    for name in &self.resource_names {
                        pieces.push(Self { resource_names: one(name), ..piece.clone() });
                    }
                }
            }
            for url in &self.non_resource_urls {
                pieces.push(Self { verbs: one(verb), non_resource_urls: one(url), ..Self::default() });
            }
        }
        pieces
    }

    /// `true` if whoever holds this rule holds all of a piece (see [`Rule::pieces`]).
    pub(crate) fn covers(&self, piece: &Self) -> bool {
        let all =
            |mine: &[String], theirs: &[String]| has(mine, "*") || theirs.iter().all(|item| has(mine, item));
        let resource = has(&self.resources, "*")
            || piece.resources.iter().all(|wanted| {
                let part = wanted.split_once('/').map(|(_, part)| format!("*/{part}"));
                has(&self.resources, wanted) || part.is_some_and(|part| has(&self.resources, &part))
            });
        let names = match (self.resource_names.is_empty(), piece.resource_names.is_empty()) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => piece.resource_names.iter().all(|name| has(&self.resource_names, name)),
        };
        let urls = piece.non_resource_urls.iter().all(|url| path_matches(&self.non_resource_urls, url));
        all(&self.verbs, &piece.verbs)
            && all(&self.api_groups, &piece.api_groups)
            && resource
            && names
            && urls
    }
}

fn joined(resource: &str, subresource: &str) -> String {
    if subresource.is_empty() { resource.to_owned() } else { format!("{resource}/{subresource}") }
}

impl std::fmt::Display for Rule {
    /// As the API server prints it: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            ("APIGroups", &self.api_groups),
            ("Resources", &self.resources),
            ("ResourceNames", &self.resource_names),
            ("NonResourceURLs", &self.non_resource_urls),
            ("Verbs", &self.verbs),
        ];
        let mut out = Vec::new();
        for (name, list) in parts.into_iter().filter(|(_, list)| !list.is_empty()) {
            let items: Vec<String> = list.iter().map(|item| format!("{item:?}")).collect();
            out.push(format!("{name}:[{}]", items.join(" ")));
        }
        write!(f, "{{{}}}", out.join(", "))
    }
}
