/// Whose reading of the bytes is asked for. There is no default: the readings differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dialect {
    /// `kubectl apply|create|label -f`: documents are split by text lines, scalars are YAML 1.1 as
    /// `sigs.k8s.io/yaml` reads them, equal keys: the last one wins, JSON streams are recognised.
    Kubectl,
    /// The body of a request to the API server with strict field validation: one document, YAML 1.1 scalars,
    /// equal keys are an error, and so is an override of a merged key.
    ApiServer,
    /// YAML 1.2.2 with the core schema: documents by the grammar, no merge keys, equal keys are an error.
    Yaml12,
}

impl Dialect {
    /// Every dialect there is.
    pub const ALL: [Self; 3] = [Self::Kubectl, Self::ApiServer, Self::Yaml12];

    /// `true` for the two that read YAML 1.1 with Go's library.
    pub(crate) fn is_kubernetes(self) -> bool {
        matches!(self, Self::Kubectl | Self::ApiServer)
    }

    /// `true` where a key may not occur twice.
    pub(crate) fn is_strict(self) -> bool {
        !matches!(self, Self::Kubectl)
    }
}
