//! The table of words. Parser, messages and JSON Schema are made from it, so they cannot disagree.

use super::format::Format;

/// What may stand at a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A mapping with these words.
    Object(&'static [Word]),
    /// A mapping with free keys of a form.
    Map(Format, &'static Shape),
    /// A list.
    List(&'static Shape),
    /// A scalar.
    Scalar(Format),
    /// One of several, told apart by being scalar, list or mapping.
    Either(&'static [Shape]),
}

/// A word of a mapping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// What it means, for editors.
    pub(super) meaning: &'static str,
}

const fn word(name: &'static str, shape: Shape, meaning: &'static str) -> Word {
    Word { name, shape, required: false, meaning }
}

const fn required(name: &'static str, shape: Shape, meaning: &'static str) -> Word {
    Word { name, shape, required: true, meaning }
}

const TEXT: Shape = Shape::Scalar(Format::Text);
const LABEL: Shape = Shape::Scalar(Format::Label);
const PATH: Shape = Shape::Scalar(Format::Path);
const TEXTS: Shape = Shape::List(&TEXT);
const PATHS: Shape = Shape::List(&PATH);
const QUANTITIES: Shape =
    Shape::Map(Format::OneOf(&["cpu", "memory", "ephemeral-storage"]), &Shape::Scalar(Format::Quantity));

pub(super) const ROOT: Shape = Shape::Object(&[
    required("lotse", Shape::Scalar(Format::Version), "Version of this format."),
    required("name", LABEL, "Name of the application; prefix of every object."),
    word("version", TEXT, "Version of the release; the first 12 characters of the commit if absent."),
    word("source", Shape::Scalar(Format::Url), "Where the Git repository is, for provenance."),
    word("author", TEXT, "Organisation that answers for the SBOM; the name of the application if absent."),
    required("registry", Shape::Scalar(Format::Registry), "Registry and path that images are named under."),
    word(
        "regimes",
        Shape::List(&Shape::Scalar(Format::OneOf(&["cra", "nis2", "dora", "gdpr", "data-act"]))),
        "Acts that people decided apply: columns of the report, no verdict.",
    ),
    required("platform", PLATFORM, "What the cluster offers."),
    required("components", Shape::Map(Format::Label, &COMPONENT), "What runs."),
    word("outside", Shape::Map(Format::Label, &OUTSIDE), "What is talked to beyond the application."),
    word("slos", Shape::Map(Format::Label, &SLO), "Service level objectives."),
    word("alerts", PATHS, "Files with more Prometheus rules."),
    word("flags", Shape::Map(Format::Variable, &FLAG), "Feature flags."),
    required("environments", Shape::Map(Format::Label, &ENVIRONMENT), "Where it runs."),
    required("gate", GATE, "What a release must pass."),
]);

const PLATFORM: Shape = Shape::Object(&[
    required(
        "secrets",
        Shape::Object(&[
            word("vault-agent", LABEL, "The Vault agent injects secrets under this role."),
            word(
                "external-secrets",
                LABEL,
                "The External Secrets Operator fills Secrets from this ClusterSecretStore.",
            ),
        ]),
        "Where secrets come from: exactly one of the two.",
    ),
    word(
        "ingress",
        Shape::Object(&[
            required("class", LABEL, "The IngressClass."),
            required(
                "namespace",
                LABEL,
                "The namespace of the ingress controller; traffic comes from there.",
            ),
            required("issuer", LABEL, "cert-manager's ClusterIssuer."),
        ]),
        "How traffic comes in; needed where a component has a host.",
    ),
    word("monitoring", LABEL, "The namespace Prometheus runs in; it may reach ports with metrics."),
    word("backup", LABEL, "The namespace Velero runs in."),
    word(
        "gitops",
        Shape::Scalar(Format::Url),
        "The Git repository that Flux or Argo CD watches; the source if absent.",
    ),
]);

const RESOURCES: Shape = Shape::Object(&[
    required("requests", QUANTITIES, "What is set aside."),
    required("limits", QUANTITIES, "What may be used."),
]);

const REPLICAS: Shape = Shape::Either(&[
    Shape::Scalar(Format::Count),
    Shape::Object(&[
        required("min", Shape::Scalar(Format::Count), "At least so many pods."),
        required("max", Shape::Scalar(Format::Count), "At most so many pods."),
        word("cpu", Shape::Scalar(Format::Count), "Percent of requested CPU to aim at."),
        word("memory", Shape::Scalar(Format::Count), "Percent of requested memory to aim at."),
    ]),
]);

const ENV: Shape = Shape::Map(Format::Variable, &TEXT);

const COMPONENT: Shape = Shape::Object(&[
    word("image", Shape::Scalar(Format::Image), "An image that exists, with tag and digest."),
    word(
        "build",
        Shape::Object(&[
            required("base", Shape::Scalar(Format::Image), "The base image, with tag and digest."),
            word("into", Shape::Scalar(Format::Absolute), "Where a list of paths is copied to."),
            required(
                "copy",
                Shape::Either(&[PATHS, Shape::Map(Format::Path, &Shape::Scalar(Format::Absolute))]),
                "What is copied: paths, or path: where to.",
            ),
        ]),
        "An image that is built from a base and files; nothing is run.",
    ),
    word(
        "extends",
        LABEL,
        "Another component whose image, env, secrets, scratch, user and resources this one has.",
    ),
    word("command", TEXTS, "The entrypoint, if not the image's."),
    word("args", TEXTS, "The arguments, if not the image's."),
    word("ports", Shape::Map(Format::Label, &Shape::Scalar(Format::Port)), "Ports by name."),
    word("host", Shape::Scalar(Format::Host), "The name it answers to from outside."),
    word(
        "probes",
        Shape::Either(&[
            Shape::Scalar(Format::Absolute),
            Shape::Object(&[word("exec", TEXTS, "A command that tells whether it lives.")]),
        ]),
        "A path that tells health, or a command.",
    ),
    word("metrics", Shape::Scalar(Format::Absolute), "The path of its metrics on the first port."),
    word(
        "scratch",
        Shape::List(&Shape::Scalar(Format::Absolute)),
        "Directories it writes to that need not last.",
    ),
    word(
        "volumes",
        Shape::Map(Format::Absolute, &Shape::Scalar(Format::Quantity)),
        "Directories that last, with their size.",
    ),
    word(
        "backup",
        Shape::Scalar(Format::OneOf(&["daily", "none"])),
        "Whether its volumes are backed up; daily if absent.",
    ),
    word("replicas", REPLICAS, "How many pods; 2 with ports, 1 with volumes if absent."),
    word("resources", RESOURCES, "What it needs and may use."),
    word(
        "user",
        Shape::Scalar(Format::User),
        "User and group it runs as; those of the built image if absent.",
    ),
    word(
        "connections",
        Shape::List(&Shape::Scalar(Format::Target)),
        "Whom it talks to; everything else is denied.",
    ),
    word(
        "env",
        ENV,
        "Variables; ${component.address}, ${component.port} and ${component.host} are filled in.",
    ),
    word(
        "secrets",
        Shape::Map(
            Format::Text,
            &Shape::Object(&[
                required(
                    "keys",
                    Shape::Either(&[
                        Shape::List(&Shape::Scalar(Format::Variable)),
                        Shape::Map(Format::Variable, &TEXT),
                    ]),
                    "Variables, or variable: key in the store.",
                ),
                word("rotate", Shape::Scalar(Format::Duration), "How often people or machines change it."),
                word("lease", Shape::Scalar(Format::Duration), "How long the store's lease lasts."),
            ]),
        ),
        "Secrets by their path in the store, never by value.",
    ),
    word("schedule", Shape::Scalar(Format::Cron), "When it runs, in UTC; it then ends by itself."),
    word(
        "migrations",
        Shape::Object(&[
            required("tool", Shape::Scalar(Format::OneOf(&["laravel", "sql"])), "What runs them."),
            required(
                "engine",
                Shape::Scalar(Format::OneOf(&["mysql", "mariadb", "postgres", "sqlite"])),
                "The database's kind.",
            ),
            required("path", PATH, "The directory with expand/ and contract/."),
            required("database", LABEL, "The component that is the database."),
            word("seed", TEXTS, "Seeders that run after the rollout."),
            word(
                "applied",
                TEXT,
                "File name of the last migration that every environment has already; up to it nothing is judged.",
            ),
            required(
                "rollback",
                Shape::Scalar(Format::Count),
                "How many earlier releases must still be able to run on the schema.",
            ),
        ]),
        "Changes of the database.",
    ),
]);

const OUTSIDE: Shape = Shape::Object(&[
    required("port", Shape::Scalar(Format::AnyPort), "The port."),
    word("host", Shape::Scalar(Format::Host), "The name, for people: policies know addresses only."),
    word("addresses", Shape::List(&Shape::Scalar(Format::Cidr)), "The addresses behind the name."),
    word("namespace", LABEL, "A namespace of the cluster."),
    word("pods", Shape::Map(Format::Text, &TEXT), "Labels of pods in that namespace."),
    word("connections", Shape::List(&Shape::Scalar(Format::Target)), "Components that it talks to."),
]);

const SLO: Shape = Shape::Object(&[
    required("of", LABEL, "The component whose requests count."),
    required("objective", Shape::Scalar(Format::Percent), "Percent of good requests."),
    required("window", Shape::Scalar(Format::Days), "Over how many days."),
]);

const FLAG: Shape = Shape::Object(&[
    required("owner", TEXT, "Who answers for it."),
    required("scopes", TEXTS, "Whom it may be switched for."),
    required("sunset", Shape::Scalar(Format::Date), "The day by which it is gone."),
]);

const ENVIRONMENT: Shape = Shape::Object(&[
    required(
        "promote",
        Shape::Scalar(Format::OneOf(&["automatic", "approval"])),
        "How a release gets there.",
    ),
    word("approvers", TEXTS, "Who approves."),
    word("namespace", LABEL, "The namespace; the application's name and the environment's if absent."),
    word(
        "components",
        Shape::Map(
            Format::Label,
            &Shape::Object(&[
                word("host", Shape::Scalar(Format::Host), "Another host here."),
                word("replicas", REPLICAS, "Another number here."),
                word("resources", RESOURCES, "Other resources here."),
                word("env", ENV, "Other or more variables here."),
            ]),
        ),
        "What differs here.",
    ),
]);

const GATE: Shape = Shape::Object(&[
    required(
        "vulnerabilities",
        Shape::Scalar(Format::OneOf(&["low", "medium", "high", "critical"])),
        "From this severity on a known vulnerability stops the release.",
    ),
    word("count", Shape::Scalar(Format::Count), "So many of them may pass; 0 if absent."),
    word("advisories", PATH, "A directory of OSV records."),
    word("vex", PATHS, "OpenVEX documents."),
    word(
        "allow",
        Shape::List(&Shape::Object(&[
            required("id", TEXT, "The advisory, or the rule of a secret."),
            required("component", TEXT, "The component: its package URL or a pattern with *."),
            required("reason", TEXT, "Why this may pass."),
            required("expires", Shape::Scalar(Format::Date), "The last day it may pass."),
            required("added-by", TEXT, "Who decided, by pseudonym."),
        ])),
        "Accepted risks.",
    ),
]);

impl Word {
    /// The word of this name.
    pub(super) fn find(words: &'static [Self], name: &str) -> Option<&'static Self> {
        words.iter().find(|word| word.name == name)
    }
}
