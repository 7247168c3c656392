//! What the checks look at, read once from a pod.

use lotse_gitops_manifest::{ContainerRole, Object};
use lotse_yaml::{Value, pointer_escape};

use crate::Error;
use crate::read::Reader;

/// A pod reduced to the fields that Pod Security looks at.
pub(crate) struct Facts<'a> {
    /// JSON pointer of the template.
    pub(crate) pointer: &'static str,
    pub(crate) annotations: Vec<(&'a str, &'a str)>,
    pub(crate) host_network: bool,
    pub(crate) host_pid: bool,
    pub(crate) host_ipc: bool,
    pub(crate) host_users: Option<bool>,
    pub(crate) windows: bool,
    pub(crate) security: Security<'a>,
    pub(crate) sysctls: Vec<&'a str>,
    pub(crate) volumes: Vec<Volume<'a>>,
    pub(crate) containers: Vec<Container<'a>>,
}

/// A `securityContext`, of the pod or of a container.
#[derive(Default)]
pub(crate) struct Security<'a> {
    pub(crate) app_armor: Option<AppArmor<'a>>,
    pub(crate) seccomp: Option<&'a str>,
    pub(crate) se_linux: Option<SeLinux<'a>>,
    pub(crate) run_as_non_root: Option<bool>,
    pub(crate) run_as_user: Option<i64>,
    pub(crate) host_process: Option<bool>,
    pub(crate) privileged: Option<bool>,
    pub(crate) allow_escalation: Option<bool>,
    pub(crate) capabilities: Option<Capabilities<'a>>,
    pub(crate) proc_mount: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct AppArmor<'a> {
    pub(crate) kind: &'a str,
    pub(crate) localhost: Option<&'a str>,
}

pub(crate) struct SeLinux<'a> {
    pub(crate) kind: &'a str,
    pub(crate) user: bool,
    pub(crate) role: bool,
}

#[derive(Default)]
pub(crate) struct Capabilities<'a> {
    pub(crate) add: Vec<&'a str>,
    pub(crate) drop: Vec<&'a str>,
}

pub(crate) struct Volume<'a> {
    pub(crate) name: &'a str,
    /// The sources that are set, of those that Kubernetes knows.
    pub(crate) sources: Vec<&'static str>,
}

pub(crate) struct Container<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: ContainerRole,
    pub(crate) pointer: String,
    pub(crate) security: Security<'a>,
    /// `hostPort` and `containerPort` of each port.
    pub(crate) ports: Vec<(i64, i64)>,
    /// Host names in probes and handlers, with the pointer below the container.
    pub(crate) hosts: Vec<(&'a str, &'static str)>,
}

/// The sources a volume can have; the allowed ones of the restricted level first.
pub(crate) const ALLOWED_SOURCES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// In the order in which the reference looks for them.
pub(crate) const OTHER_SOURCES: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

/// Probes and handlers that carry a host, as pointers below a container.
const HOSTS: [(&str, &str, &str); 10] = [
    ("livenessProbe", "httpGet", "/livenessProbe/httpGet/host"),
    ("livenessProbe", "tcpSocket", "/livenessProbe/tcpSocket/host"),
    ("readinessProbe", "httpGet", "/readinessProbe/httpGet/host"),
    ("readinessProbe", "tcpSocket", "/readinessProbe/tcpSocket/host"),
    ("startupProbe", "httpGet", "/startupProbe/httpGet/host"),
    ("startupProbe", "tcpSocket", "/startupProbe/tcpSocket/host"),
    ("postStart", "httpGet", "/lifecycle/postStart/httpGet/host"),
    ("postStart", "tcpSocket", "/lifecycle/postStart/tcpSocket/host"),
    ("preStop", "httpGet", "/lifecycle/preStop/httpGet/host"),
    ("preStop", "tcpSocket", "/lifecycle/preStop/tcpSocket/host"),
];

impl<'a> Facts<'a> {
    pub(crate) fn read(object: &'a Object) -> Result<Self, Error> {
        let name = object.to_string();
        let template = object.pod_template().ok_or_else(|| Error::NoPods(name.clone()))?;
        let reader = Reader { object: &name };
        let at = template.pointer();
        let whole = Some(template.value());
        let spec = reader.object(whole, at, "spec")?;
        let spec_at = format!("{at}/spec");
        let metadata = reader.object(whole, at, "metadata")?;
        let annotations_at = format!("{at}/metadata");
        let mut annotations = Vec::new();
        if let Some(map) = reader.object(metadata, &annotations_at, "annotations")?.and_then(Value::as_object)
        {
            for (key, value) in map {
                let text = match value {
                    Value::Null => "",
                    other => other.as_str().ok_or_else(|| {
                        reader.wrong(
                            &format!("{annotations_at}/annotations"),
                            &pointer_escape(key),
                            "a text",
                            other,
                        )
                    })?,
                };
                annotations.push((key, text));
            }
        }
        let context = reader.object(spec, &spec_at, "securityContext")?;
        let context_at = format!("{spec_at}/securityContext");
        let mut sysctls = Vec::new();
        for (number, item) in reader.list(context, &context_at, "sysctls")?.iter().enumerate() {
            sysctls.push(
                reader
                    .text(Some(item), &format!("{context_at}/sysctls/{number}"), "name")?
                    .unwrap_or_default(),
            );
        }
        let os = reader.object(spec, &spec_at, "os")?;
        Ok(Self {
            pointer: at,
            annotations,
            host_network: reader.boolean(spec, &spec_at, "hostNetwork")?.unwrap_or_default(),
            host_pid: reader.boolean(spec, &spec_at, "hostPID")?.unwrap_or_default(),
            host_ipc: reader.boolean(spec, &spec_at, "hostIPC")?.unwrap_or_default(),
            host_users: reader.boolean(spec, &spec_at, "hostUsers")?,
            windows: reader.text(os, &format!("{spec_at}/os"), "name")? == Some("windows"),
            security: security(&reader, context, &context_at)?,
            sysctls,
            volumes: volumes(&reader, spec, &spec_at)?,
            containers: containers(&reader, spec, &spec_at)?,
        })
    }

    /// `true` for a pod in a user namespace.
    pub(crate) fn in_user_namespace(&self) -> bool {
        self.host_users == Some(false)
    }

    /// What the API server fills in before it judges a pod: host ports of a pod on the host's network, an
    /// `emptyDir` for volumes without a source, and AppArmor fields for the old annotations.
    pub(crate) fn as_admitted(&mut self, is_pod: bool) {
        for volume in self.volumes.iter_mut().filter(|volume| volume.sources.is_empty()) {
            volume.sources.push("emptyDir");
        }
        if !is_pod {
            return;
        }
        for container in &mut self.containers {
            if self.host_network && container.role != ContainerRole::Ephemeral {
                for (host, inner) in &mut container.ports {
                    if *host == 0 {
                        *host = *inner;
                    }
                }
            }
            let key = format!("container.apparmor.security.beta.kubernetes.io/{}", container.name);
            let annotation = self.annotations.iter().find(|(name, _)| *name == key);
            if let Some((_, profile)) =
                annotation.filter(|_| !self.windows && container.security.app_armor.is_none())
            {
                let field = app_armor_field(profile);
                if field.is_some() && field != self.security.app_armor {
                    container.security.app_armor = field;
                }
            }
        }
    }
}

fn app_armor_field(annotation: &str) -> Option<AppArmor<'_>> {
    match annotation {
        "runtime/default" => Some(AppArmor { kind: "RuntimeDefault", localhost: None }),
        "unconfined" => Some(AppArmor { kind: "Unconfined", localhost: None }),
        _ => {
            let profile = annotation.strip_prefix("localhost/")?;
            let valid = !profile.is_empty() && profile.trim() == profile && profile.len() <= 4095;
            valid.then_some(AppArmor { kind: "Localhost", localhost: Some(profile) })
        }
    }
}

fn volumes<'a>(reader: &Reader<'_>, spec: Option<&'a Value>, at: &str) -> Result<Vec<Volume<'a>>, Error> {
    let mut volumes = Vec::new();
    for (number, value) in reader.list(spec, at, "volumes")?.iter().enumerate() {
        let at = format!("{at}/volumes/{number}");
        let mut sources = Vec::new();
        for source in ALLOWED_SOURCES.into_iter().chain(OTHER_SOURCES) {
            if reader.object(Some(value), &at, source)?.is_some() {
                sources.push(source);
            }
        }
        volumes.push(Volume { name: reader.text(Some(value), &at, "name")?.unwrap_or_default(), sources });
    }
    Ok(volumes)
}

fn containers<'a>(
    reader: &Reader<'_>,
    spec: Option<&'a Value>,
    at: &str,
) -> Result<Vec<Container<'a>>, Error> {
    let lists = [
        (ContainerRole::Init, "initContainers"),
        (ContainerRole::Regular, "containers"),
        (ContainerRole::Ephemeral, "ephemeralContainers"),
    ];
    let mut containers = Vec::new();
    for (role, list) in lists {
        for (number, value) in reader.list(spec, at, list)?.iter().enumerate() {
            let pointer = format!("{at}/{list}/{number}");
            let value = Some(value);
            let context = reader.object(value, &pointer, "securityContext")?;
            let mut ports = Vec::new();
            for (number, port) in reader.list(value, &pointer, "ports")?.iter().enumerate() {
                let port_at = format!("{pointer}/ports/{number}");
                let host = reader.integer(Some(port), &port_at, "hostPort")?.unwrap_or_default();
                ports
                    .push((host, reader.integer(Some(port), &port_at, "containerPort")?.unwrap_or_default()));
            }
            let lifecycle = reader.object(value, &pointer, "lifecycle")?;
            let mut hosts = Vec::new();
            for (outer, inner, place) in HOSTS {
                let parent = if place.starts_with("/lifecycle") { lifecycle } else { value };
                let handler = reader.object(parent, &pointer, outer)?;
                let action = reader.object(handler, &format!("{pointer}/{outer}"), inner)?;
                let host =
                    reader.text(action, &format!("{pointer}/{outer}/{inner}"), "host")?.unwrap_or_default();
                if !host.is_empty() {
                    hosts.push((host, place));
                }
            }
            containers.push(Container {
                name: reader.text(value, &pointer, "name")?.unwrap_or_default(),
                role,
                security: security(reader, context, &format!("{pointer}/securityContext"))?,
                ports,
                hosts,
                pointer,
            });
        }
    }
    Ok(containers)
}

fn security<'a>(reader: &Reader<'_>, context: Option<&'a Value>, at: &str) -> Result<Security<'a>, Error> {
    let Some(value) = context else { return Ok(Security::default()) };
    let value = Some(value);
    let app_armor = match reader.object(value, at, "appArmorProfile")? {
        Some(profile) => {
            let at = format!("{at}/appArmorProfile");
            Some(AppArmor {
                kind: reader.text(Some(profile), &at, "type")?.unwrap_or_default(),
                localhost: reader.text(Some(profile), &at, "localhostProfile")?,
            })
        }
        None => None,
    };
    let seccomp = match reader.object(value, at, "seccompProfile")? {
        Some(profile) => {
            Some(reader.text(Some(profile), &format!("{at}/seccompProfile"), "type")?.unwrap_or_default())
        }
        None => None,
    };
    let se_linux = match reader.object(value, at, "seLinuxOptions")? {
        Some(options) => {
            let at = format!("{at}/seLinuxOptions");
            Some(SeLinux {
                kind: reader.text(Some(options), &at, "type")?.unwrap_or_default(),
                user: reader.text(Some(options), &at, "user")?.is_some_and(|text| !text.is_empty()),
                role: reader.text(Some(options), &at, "role")?.is_some_and(|text| !text.is_empty()),
            })
        }
        None => None,
    };
    let capabilities = match reader.object(value, at, "capabilities")? {
        Some(capabilities) => {
            let at = format!("{at}/capabilities");
            Some(Capabilities {
                add: reader.texts(Some(capabilities), &at, "add")?,
                drop: reader.texts(Some(capabilities), &at, "drop")?,
            })
        }
        None => None,
    };
    let windows = reader.object(value, at, "windowsOptions")?;
    Ok(Security {
        app_armor,
        seccomp,
        se_linux,
        run_as_non_root: reader.boolean(value, at, "runAsNonRoot")?,
        run_as_user: reader.integer(value, at, "runAsUser")?,
        host_process: reader.boolean(windows, &format!("{at}/windowsOptions"), "hostProcess")?,
        privileged: reader.boolean(value, at, "privileged")?,
        allow_escalation: reader.boolean(value, at, "allowPrivilegeEscalation")?,
        capabilities,
        proc_mount: reader.text(value, at, "procMount")?,
    })
}
