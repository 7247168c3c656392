//! A plan for machines.

use crate::migration::Step;
use crate::plan::Plan;
use crate::verdict::{Rewrite, Undo};

/// The plan as one JSON object: `ready`, `stages` (phase, releases_later, condition, hooks, steps), `problems`,
/// `rollback_blockers`.
#[must_use]
pub fn plan_json(plan: &Plan) -> String {
    let stages = plan.stages.iter().map(|stage| {
        let hooks = &stage.hooks;
        let hooks = object([
            ("helm_hook", text(hooks.helm_hook)),
            ("helm_weight", hooks.helm_weight.to_string()),
            ("helm_delete_policy", text(hooks.helm_delete_policy)),
            ("argo_hook", text(hooks.argo_hook)),
            ("argo_wave", hooks.argo_wave.to_string()),
            ("needs_wait", hooks.needs_wait.to_string()),
        ]);
        object([
            ("phase", text(&stage.phase.to_string())),
            ("releases_later", stage.releases_later.to_string()),
            ("condition", text(&stage.condition)),
            ("hooks", hooks),
            ("steps", list(stage.steps.iter().map(step))),
        ])
    });
    let problems = plan.problems.iter().map(|p| {
        let kind = format!("{:?}", p.kind);
        object([
            ("path", text(&p.path)),
            ("line", p.line.to_string()),
            ("kind", text(&kind)),
            ("text", text(&p.text)),
        ])
    });
    let blockers =
        plan.rollback_blockers.iter().map(|b| object([("step", step(&b.step)), ("text", text(&b.text))]));
    object([
        ("ready", plan.is_ready().to_string()),
        ("stages", list(stages)),
        ("problems", list(problems)),
        ("rollback_blockers", list(blockers)),
    ])
}

fn step(step: &Step) -> String {
    let verdict = &step.verdict;
    let rewrite = match verdict.rewrite {
        Rewrite::No => "no",
        Rewrite::Depends => "depends",
        Rewrite::Yes => "yes",
    };
    let undo = match verdict.undo {
        Undo::Yes => "yes",
        Undo::Depends => "depends",
        Undo::DataLost => "data lost",
        Undo::No => "no",
    };
    object([
        ("path", text(&step.path)),
        ("index", step.index.to_string()),
        ("line", step.line.to_string()),
        ("text", text(&step.text)),
        ("class", text(&verdict.class.to_string())),
        ("phase", text(&verdict.phase().to_string())),
        ("reasons", list(verdict.reasons.iter().map(|r| text(r)))),
        ("lock", verdict.lock.map_or_else(|| "null".to_owned(), text)),
        ("rewrite", text(rewrite)),
        ("undo", text(undo)),
        ("idempotent", verdict.idempotent.to_string()),
    ])
}

fn object<const N: usize>(members: [(&str, String); N]) -> String {
    let members = members.map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", members.join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
