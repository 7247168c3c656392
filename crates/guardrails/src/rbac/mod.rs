//! RBAC over manifests: who can do what, what somebody may grant, and which rules reach further than they look.

mod deploy;
mod lint;
mod rule;

use lotse_gitops_manifest::Object;
use lotse_yaml::Value;

use crate::Error;
use crate::cluster::selects_labels;
use crate::read::Reader;

pub use self::deploy::{Before, Deploy, deployer_rules};
pub use self::lint::rbac_findings;
pub use self::rule::{Action, Rule};

/// Somebody who asks: a user name and the groups the API server adds to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    user: String,
    groups: Vec<String>,
}

impl Subject {
    /// A user with exactly these groups.
    #[must_use]
    pub fn user(name: &str, groups: &[&str]) -> Self {
        Self { user: name.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    /// A service account, with the groups that every one of its namespace has.
    #[must_use]
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let in_namespace = format!("system:serviceaccounts:{namespace}");
        let groups = ["system:serviceaccounts", &in_namespace, "system:authenticated"];
        Self::user(&format!("system:serviceaccount:{namespace}:{name}"), &groups)
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// `true` if some rule allows it. RBAC has no rule that forbids.
    pub allowed: bool,
    /// The binding, role and subject that allow it, or the roles that are bound and missing, in the API server's
    /// words; `""` for a plain no.
    pub reason: String,
    /// The rule that allows it, counted from 0 in its role.
    pub rule: Option<usize>,
}

/// The roles and bindings of a cluster. A "no" holds only if these are all there are, those of the cluster itself
/// included: what is not given does not exist here.
#[derive(Clone, Debug)]
pub struct Rbac {
    roles: Vec<Role>,
    bindings: Vec<Binding>,
}

#[derive(Clone, Debug)]
struct Role {
    /// `None` for a ClusterRole.
    namespace: Option<String>,
    name: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Binding {
    /// `None` for a ClusterRoleBinding.
    namespace: Option<String>,
    name: String,
    role_kind: String,
    role_name: String,
    subjects: Vec<(String, String, String)>,
}

impl Rbac {
    /// Takes the RBAC objects out of a set and passes over every other kind. Aggregated ClusterRoles are filled from
    /// the ClusterRoles of the set, as the controller does it.
    ///
    /// # Errors
    /// [`Error::WrongType`] for a field that the API server would refuse.
    pub fn new(objects: &[Object]) -> Result<Self, Error> {
        let mut rbac = Self { roles: Vec::new(), bindings: Vec::new() };
        let mine: Vec<&Object> =
            objects.iter().filter(|object| object.group() == "rbac.authorization.k8s.io").collect();
        for object in &mine {
            match object.kind() {
                "Role" | "ClusterRole" => rbac.roles.push(Role {
                    namespace: scope(object),
                    name: object.name().to_owned(),
                    rules: Rule::read_all(object)?,
                }),
                "RoleBinding" | "ClusterRoleBinding" => rbac.bindings.push(binding(object)?),
                _ => {}
            }
        }
        rbac.aggregate(&mine);
        Ok(rbac)
    }

    /// Fills aggregated roles until nothing changes: they may select each other.
    fn aggregate(&mut self, objects: &[&Object]) {
        let mut sorted: Vec<&&Object> =
            objects.iter().filter(|object| object.kind() == "ClusterRole").collect();
        sorted.sort_by_key(|object| object.name());
        let aggregated: Vec<_> =
            sorted.iter().filter_map(|o| Some((o.name(), o.value().get("aggregationRule")?))).collect();
        for _ in 0..=aggregated.len() {
            for (name, rule) in &aggregated {
                let selectors =
                    rule.get("clusterRoleSelectors").and_then(Value::as_array).unwrap_or_default();
                let mut rules: Vec<Rule> = Vec::new();
                for selector in selectors {
                    for other in sorted
                        .iter()
                        .filter(|o| o.name() != *name && selects_labels(selector, |key| o.label(key)))
                    {
                        let found =
                            self.role(None, other.name()).map(|role| role.rules.clone()).unwrap_or_default();
                        for rule in found {
                            if !rules.contains(&rule) {
                                rules.push(rule);
                            }
                        }
                    }
                }
                if let Some(role) = self.roles.iter_mut().find(|r| r.namespace.is_none() && r.name == *name) {
                    role.rules = rules;
                }
            }
        }
    }

    fn role(&self, namespace: Option<&str>, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.namespace.as_deref() == namespace && role.name == name)
    }

    /// May the subject do this? As `SubjectAccessReview` answers when RBAC is the only authorizer, and members of
    /// `system:masters` may do everything.
    #[must_use]
    pub fn can_i(&self, subject: &Subject, action: &Action) -> Decision {
        if subject.groups.iter().any(|group| group == "system:masters") {
            return Decision { allowed: true, reason: String::new(), rule: None };
        }
        let mut missing: Vec<String> = Vec::new();
        for (binding, role, who) in self.held(subject, namespace_of(action)) {
            let Some(role) = role else {
                let kind = binding.role_kind.to_lowercase();
                let words = format!("{kind}.rbac.authorization.k8s.io {:?} not found", binding.role_name);
                if !missing.contains(&words) {
                    missing.push(words);
                }
                continue;
            };
            if let Some(number) = role.rules.iter().position(|rule| rule.allows(action)) {
                let (kind, place) = match &binding.namespace {
                    Some(namespace) => ("RoleBinding", format!("{}/{namespace}", binding.name)),
                    None => ("ClusterRoleBinding", binding.name.clone()),
                };
                let reason = format!(
                    "RBAC: allowed by {kind} {place:?} of {} {:?} to {who}",
                    binding.role_kind, role.name
                );
                return Decision { allowed: true, reason, rule: Some(number) };
            }
        }
        let reason = match missing.as_slice() {
            [] => String::new(),
            [one] => format!("RBAC: {one}"),
            many => format!("RBAC: [{}]", many.join(", ")),
        };
        Decision { allowed: false, reason, rule: None }
    }

    /// The bindings that give the subject something in a namespace (or in the whole cluster), with their roles.
    fn held<'a>(
        &'a self,
        subject: &'a Subject,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Binding, Option<&'a Role>, String)> {
        let cluster = self.bindings.iter().filter(|binding| binding.namespace.is_none());
        let local = self
            .bindings
            .iter()
            .filter(move |b| !namespace.is_empty() && b.namespace.as_deref() == Some(namespace));
        cluster.chain(local).filter_map(move |binding| {
            let who = binding.applies_to(subject)?;
            let of = if binding.role_kind == "Role" { binding.namespace.as_deref() } else { None };
            Some((binding, self.role(of, &binding.role_name), who))
        })
    }

    /// May the subject create this Role, ClusterRole or binding? It must be allowed to create the kind, and hold
    /// everything it grants (or `escalate` on the role, or `bind` on what it binds).
    ///
    /// # Errors
    /// [`Error::WrongType`] for a field that the API server would refuse.
    pub fn may_grant(&self, subject: &Subject, object: &Object) -> Result<Grant, Error> {
        let namespace =
            if object.kind().starts_with("Cluster") { "" } else { object.namespace().unwrap_or("default") };
        let group = "rbac.authorization.k8s.io";
        let resource = format!("{}s", object.kind().to_lowercase());
        if !self.can_i(subject, &Action::on("create", group, &resource, namespace, "")).allowed {
            return Ok(Grant::MayNotCreate);
        }
        let rules = if object.kind().ends_with("Binding") {
            let binding = binding(object)?;
            let bound = format!("{}s", binding.role_kind.to_lowercase());
            if self.can_i(subject, &Action::on("bind", group, &bound, namespace, &binding.role_name)).allowed
            {
                return Ok(Grant::Allowed);
            }
            let of = if binding.role_kind == "Role" { Some(namespace) } else { None };
            match self.role(of, &binding.role_name) {
                Some(role) => role.rules.clone(),
                None => return Ok(Grant::RoleMissing),
            }
        } else {
            if self
                .can_i(subject, &Action::on("escalate", group, &resource, namespace, object.name()))
                .allowed
            {
                return Ok(Grant::Allowed);
            }
            Rule::read_all(object)?
        };
        let held: Vec<&Rule> = self
            .held(subject, namespace)
            .filter_map(|(_, role, _)| role)
            .flat_map(|role| role.rules.iter())
            .collect();
        let masters = subject.groups.iter().any(|group| group == "system:masters");
        let pieces = rules.iter().flat_map(Rule::pieces);
        let lacking: Vec<Rule> =
            pieces.filter(|piece| !masters && !held.iter().any(|rule| rule.covers(piece))).collect();
        Ok(if lacking.is_empty() { Grant::Allowed } else { Grant::Lacking(lacking) })
    }
}

/// The answer to [`Rbac::may_grant`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grant {
    /// The object may be created.
    Allowed,
    /// The subject may not create objects of this kind here.
    MayNotCreate,
    /// The binding names a role that is not there, and the subject may not bind it.
    RoleMissing,
    /// The subject would grant what it does not hold: one piece per verb, group, resource and name.
    Lacking(Vec<Rule>),
}

impl Binding {
    /// The subject of the binding that is, or contains, somebody; in the API server's words.
    fn applies_to(&self, subject: &Subject) -> Option<String> {
        self.subjects.iter().find_map(|(kind, name, namespace)| match kind.as_str() {
            "User" if *name == subject.user => Some(format!("User {name:?}")),
            "Group" if subject.groups.contains(name) => Some(format!("Group {name:?}")),
            "ServiceAccount" => {
                let local = self.namespace.as_deref().unwrap_or_default();
                let namespace = if namespace.is_empty() { local } else { namespace };
                let full = format!("system:serviceaccount:{namespace}:{name}");
                (!namespace.is_empty() && full == subject.user)
                    .then(|| format!("ServiceAccount \"{name}/{namespace}\""))
            }
            _ => None,
        })
    }
}

fn namespace_of(action: &Action) -> &str {
    match action {
        Action::Resource { namespace, .. } => namespace,
        Action::Path { .. } => "",
    }
}

fn scope(object: &Object) -> Option<String> {
    (!object.kind().starts_with("Cluster")).then(|| object.namespace().unwrap_or("default").to_owned())
}

fn binding(object: &Object) -> Result<Binding, Error> {
    let name = object.to_string();
    let reader = Reader { object: &name };
    let value = Some(object.value());
    let role = reader.object(value, "", "roleRef")?;
    let mut subjects = Vec::new();
    for (number, subject) in reader.list(value, "", "subjects")?.iter().enumerate() {
        let at = format!("/subjects/{number}");
        let text = |key| -> Result<String, Error> {
            Ok(reader.text(Some(subject), &at, key)?.unwrap_or_default().to_owned())
        };
        subjects.push((text("kind")?, text("name")?, text("namespace")?));
    }
    Ok(Binding {
        namespace: scope(object),
        name: object.name().to_owned(),
        role_kind: reader.text(role, "/roleRef", "kind")?.unwrap_or_default().to_owned(),
        role_name: reader.text(role, "/roleRef", "name")?.unwrap_or_default().to_owned(),
        subjects,
    })
}
