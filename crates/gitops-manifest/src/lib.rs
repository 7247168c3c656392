//! What shall run: Kubernetes, Flux and Argo CD documents, rendered and pinned.
