//! The objects of a set, seen as what they select and carry.

use std::collections::BTreeMap;

use lotse_gitops_manifest::{Object, PodTemplate};
use lotse_yaml::Value;

/// A workload of the set with what the rollout rules ask for.
pub(crate) struct Workload<'a> {
    pub(crate) object: &'a Object,
    pub(crate) template: PodTemplate<'a>,
}

pub(crate) fn workloads(objects: &[Object]) -> impl Iterator<Item = Workload<'_>> {
    objects.iter().filter_map(|object| Some(Workload { object, template: object.pod_template()? }))
}

/// The namespace an object lands in; offline, one that is not written is `default`.
pub(crate) fn namespace(object: &Object) -> &str {
    object.namespace().unwrap_or("default")
}

/// `true` if a label selector matches a pod template. An empty selector matches.
pub(crate) fn selects(selector: &Value, template: &PodTemplate<'_>) -> bool {
    selects_labels(selector, |key| template.label(key))
}

/// `true` if a label selector (`matchLabels`, `matchExpressions`) matches labels.
pub(crate) fn selects_labels<'l>(selector: &Value, label: impl Fn(&str) -> Option<&'l str>) -> bool {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let equal = labels.into_iter().flatten().all(|(key, value)| label(key) == value.as_str());
    let expressions = selector.get("matchExpressions").and_then(Value::as_array).unwrap_or_default();
    equal
        && expressions.iter().all(|expression| {
            let key = expression.get("key").and_then(Value::as_str).unwrap_or_default();
            let values = expression.get("values").and_then(Value::as_array).unwrap_or_default();
            let label = label(key);
            let among = label.is_some_and(|label| values.iter().any(|value| value.as_str() == Some(label)));
            match expression.get("operator").and_then(Value::as_str) {
                Some("In") => among,
                Some("NotIn") => !among,
                Some("Exists") => label.is_some(),
                Some("DoesNotExist") => label.is_none(),
                _ => false,
            }
        })
}

/// `true` if a plain map of labels, as a Service has it, matches a pod template. An empty map matches nothing.
pub(crate) fn map_selects(selector: Option<&Value>, template: &PodTemplate<'_>) -> bool {
    let Some(map) = selector.and_then(Value::as_object).filter(|map| !map.is_empty()) else { return false };
    map.iter().all(|(key, value)| template.label(key) == value.as_str())
}

/// One namespace of a set, with what the rollout rules look up in it.
#[derive(Default)]
pub(crate) struct Space<'a> {
    pub(crate) workloads: Vec<Workload<'a>>,
    pub(crate) services: Vec<&'a Object>,
    pub(crate) budgets: Vec<&'a Object>,
    pub(crate) autoscalers: Vec<&'a Object>,
    /// Volume claims by name.
    pub(crate) claims: BTreeMap<&'a str, &'a Object>,
    /// Workloads by kind and name, and by each label of their pods: places in the list above.
    by_name: BTreeMap<(&'a str, &'a str), usize>,
    by_label: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// The autoscaler of a kind and name.
    scaler_of: BTreeMap<(&'a str, &'a str), usize>,
}

/// The namespaces of a set.
pub(crate) fn spaces(objects: &[Object]) -> BTreeMap<&str, Space<'_>> {
    let mut spaces: BTreeMap<&str, Space<'_>> = BTreeMap::new();
    for object in objects {
        spaces.entry(namespace(object)).or_default().add(object);
    }
    spaces
}

impl<'a> Space<'a> {
    fn add(&mut self, object: &'a Object) {
        if let Some(template) = object.pod_template() {
            let place = self.workloads.len();
            self.by_name.insert((object.kind(), object.name()), place);
            let labels = template.value().pointer("/metadata/labels").and_then(Value::as_object);
            for (key, value) in labels.into_iter().flatten() {
                if let Some(value) = value.as_str() {
                    self.by_label.entry((key, value)).or_default().push(place);
                }
            }
            self.workloads.push(Workload { object, template });
        }
        match (object.group(), object.kind()) {
            ("", "Service") => self.services.push(object),
            ("", "PersistentVolumeClaim") => {
                self.claims.insert(object.name(), object);
            }
            ("policy", "PodDisruptionBudget") => self.budgets.push(object),
            ("autoscaling", "HorizontalPodAutoscaler") => {
                if let Some(target) = target(object) {
                    self.scaler_of.entry(target).or_insert(self.autoscalers.len());
                }
                self.autoscalers.push(object);
            }
            _ => {}
        }
    }

    /// Places of the workloads that a service sends to.
    pub(crate) fn behind(&self, service: &Object) -> Vec<usize> {
        let selector = service.value().pointer("/spec/selector");
        let first = selector.and_then(Value::as_object).and_then(|map| map.iter().next());
        let fits = |workload: &Workload<'_>| map_selects(selector, &workload.template);
        first.map(|label| self.filtered(Some(label), fits)).unwrap_or_default()
    }

    /// Places of the workloads that a label selector matches.
    pub(crate) fn selected(&self, selector: &Value) -> Vec<usize> {
        let first = selector.get("matchLabels").and_then(Value::as_object).and_then(|map| map.iter().next());
        self.filtered(first, |workload| selects(selector, &workload.template))
    }

    /// Of the workloads with a label (or of all), those that fit.
    fn filtered(&self, label: Option<(&str, &Value)>, fits: impl Fn(&Workload<'_>) -> bool) -> Vec<usize> {
        let fits = |place: &usize| self.workloads.get(*place).is_some_and(&fits);
        match label.and_then(|(key, value)| Some((key, value.as_str()?))) {
            Some(label) => self.by_label.get(&label).into_iter().flatten().copied().filter(fits).collect(),
            None => (0..self.workloads.len()).filter(fits).collect(),
        }
    }

    /// The autoscaler of a workload.
    pub(crate) fn autoscaler(&self, object: &Object) -> Option<&'a Object> {
        self.autoscalers.get(*self.scaler_of.get(&(object.kind(), object.name()))?).copied()
    }

    /// The workload that an autoscaler scales.
    pub(crate) fn scaled(&self, scaler: &Object) -> Option<&Workload<'a>> {
        self.workloads.get(*self.by_name.get(&target(scaler)?)?)
    }
}

/// Kind and name of what an autoscaler scales.
fn target(scaler: &Object) -> Option<(&str, &str)> {
    let target = scaler.value().pointer("/spec/scaleTargetRef")?;
    Some((target.get("kind")?.as_str()?, target.get("name")?.as_str()?))
}

/// A number of pods, or a share of all of them.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Amount {
    Pods(u64),
    Percent(u64),
}

impl Amount {
    /// `3` or `"25%"`; `None` for anything else.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64().map(Self::Pods),
            Value::String(text) => text.strip_suffix('%')?.parse().ok().map(Self::Percent),
            _ => None,
        }
    }

    pub(crate) fn rounded_up(self, all: u64) -> u64 {
        match self {
            Self::Pods(pods) => pods,
            Self::Percent(percent) => all.saturating_mul(percent).div_ceil(100),
        }
    }

    pub(crate) fn rounded_down(self, all: u64) -> u64 {
        match self {
            Self::Pods(pods) => pods,
            Self::Percent(percent) => all.saturating_mul(percent) / 100,
        }
    }
}
