//! The objects of a set, seen as what they select and carry.

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

/// Services of the set that send traffic to a workload.
pub(crate) fn services<'a>(objects: &'a [Object], workload: &Workload<'_>) -> Vec<&'a Object> {
    let same = |object: &&Object| {
        object.kind() == "Service"
            && object.group().is_empty()
            && namespace(object) == namespace(workload.object)
            && map_selects(object.value().pointer("/spec/selector"), &workload.template)
    };
    objects.iter().filter(same).collect()
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
