//! OCI images and layouts, built reproducibly in process.
