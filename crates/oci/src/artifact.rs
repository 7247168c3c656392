use std::collections::BTreeMap;

use crate::layout::empty_descriptor;
use crate::{Descriptor, Error, Layer, Layout, Manifest, media};

const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const HELM_CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const TITLE: &str = "org.opencontainers.image.title";

/// Puts an artifact together: a manifest whose content is not an image (image-spec, manifest, "Guidelines for Artifact
/// Usage"). The same parts give the same bytes.
///
/// ```
/// # use lotse_oci::{ArtifactBuilder, Layout, Limits};
/// # let directory = std::env::temp_dir().join(format!("lotse-oci-artifact-{}", std::process::id()));
/// let layout = Layout::create(&directory, Limits::default())?;
/// let artifact = ArtifactBuilder::new("application/vnd.example.report")
///     .file(&layout, "report.json", "application/json", b"{}\n")?
///     .write(&layout, Some("report"))?;
/// assert_eq!(layout.manifest(&artifact)?.layers.len(), 1);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ArtifactBuilder {
    artifact_type: Option<String>,
    config: Option<(String, Vec<u8>)>,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
    subject: Option<Descriptor>,
}

impl ArtifactBuilder {
    /// An artifact of this type (a media type), with the empty configuration.
    #[must_use]
    pub fn new(artifact_type: &str) -> Self {
        Self {
            artifact_type: Some(artifact_type.to_owned()),
            config: None,
            layers: Vec::new(),
            annotations: BTreeMap::new(),
            subject: None,
        }
    }

    /// An artifact that its clients tell by the type of its configuration, such as Flux' and Helm's.
    #[must_use]
    pub fn with_config(media_type: &str, content: &[u8]) -> Self {
        Self {
            artifact_type: None,
            config: Some((media_type.to_owned(), content.to_owned())),
            layers: Vec::new(),
            annotations: BTreeMap::new(),
            subject: None,
        }
    }

    /// A Helm chart: `metadata` is its `Chart.yaml` as JSON, `chart` a gzip layer of a tree whose one directory is named
    /// like the chart. Helm looks for it under [`helm_tag`] of its version.
    #[must_use]
    pub fn helm_chart(metadata: &[u8], chart: &Layer) -> Self {
        Self::with_config(HELM_CONFIG, metadata).layer(&chart.descriptor, HELM_CHART)
    }

    /// Adds a blob of the layout under a media type of the artifact's own.
    #[must_use]
    pub fn layer(mut self, blob: &Descriptor, media_type: &str) -> Self {
        self.layers.push(Descriptor { media_type: media_type.to_owned(), ..blob.clone() });
        self
    }

    /// Writes a file into the layout as a blob and adds it under its name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn file(
        mut self,
        layout: &Layout,
        name: &str,
        media_type: &str,
        content: &[u8],
    ) -> Result<Self, Error> {
        let mut blob = layout.write_blob(media_type, content)?;
        blob.annotations.insert(TITLE.to_owned(), name.to_owned());
        self.layers.push(blob);
        Ok(self)
    }

    /// Adds an annotation to the manifest.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Says what the artifact is about: it becomes a referrer of that manifest.
    #[must_use]
    pub fn subject(mut self, subject: &Descriptor) -> Self {
        let Descriptor { media_type, digest, size, .. } = subject;
        self.subject = Some(Descriptor::new(media_type.clone(), digest.clone(), *size));
        self
    }

    /// Writes configuration and manifest into the layout, and tags the manifest or adds it to the index without a tag.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if a layer is not in the layout, [`Error::Io`].
    pub fn write(self, layout: &Layout, tag: Option<&str>) -> Result<Descriptor, Error> {
        layout.require(self.layers.iter())?;
        let config = match &self.config {
            Some((media_type, content)) => layout.write_blob(media_type, content)?,
            None => {
                layout.write_blob(media::EMPTY, b"{}")?;
                empty_descriptor()
            }
        };
        let manifest = Manifest {
            annotations: self.annotations.clone(),
            artifact_type: self.artifact_type.clone(),
            subject: self.subject,
            ..Manifest::new(config, self.layers)
        };
        let mut descriptor = layout.write_blob(media::MANIFEST, &manifest.to_bytes()?)?;
        descriptor.artifact_type = self.artifact_type;
        match tag {
            Some(tag) => layout.tag(&descriptor, tag)?,
            None => {
                descriptor.annotations = self.annotations;
                layout.add(descriptor.clone())?;
            }
        }
        Ok(descriptor)
    }
}

/// The tag under which Helm looks for a version: `+` cannot stand in a tag and becomes `_`.
///
/// ```
/// assert_eq!(lotse_oci::helm_tag("1.2.0+build.5"), "1.2.0_build.5");
/// ```
#[must_use]
pub fn helm_tag(version: &str) -> String {
    version.replace('+', "_")
}
