//! YAML as Kubernetes reads it: located tree, byte-exact edits, both dialects.
