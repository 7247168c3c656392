//! Who may talk to whom: NetworkPolicy (networking.k8s.io/v1) evaluated exactly, for IPv4 and IPv6: as a matrix of all
//! pairs, as an explanation of one connection, and backwards, from declared connections to policies.
//!
//! It sends no packet and asks no cluster. What the API leaves to the network plugin is a [`Profile`] that the caller
//! names; other kinds of policy (Cilium, Calico, AdminNetworkPolicy) are refused by name, because they would change
//! the verdicts.
//!
//! ```
//! use lotse_netpol::{Cluster, Profile, Protocol};
//! use lotse_yaml::Limits;
//!
//! let files = [("all.yaml", &b"
//! apiVersion: v1
//! kind: Pod
//! metadata: {name: web, namespace: shop, labels: {app: web}}
//! spec: {containers: [{name: a, ports: [{name: http, containerPort: 8080}]}]}
//! ---
//! apiVersion: v1
//! kind: Pod
//! metadata: {name: db, namespace: shop}
//! ---
//! apiVersion: networking.k8s.io/v1
//! kind: NetworkPolicy
//! metadata: {name: web, namespace: shop}
//! spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: http}]}]}
//! "[..])];
//! let cluster = Cluster::parse(files, &Limits::manifests())?;
//! let matrix = cluster.matrix(Profile::Node, &[]);
//! assert_eq!(matrix.get("shop/db", "shop/web").map(ToString::to_string).as_deref(), Some("TCP 8080"));
//! let why = cluster.explain(Profile::Node, "shop/db", "shop/web", Protocol::Tcp, 443)?;
//! assert!(!why.allowed);
//! # Ok::<(), lotse_netpol::Error>(())
//! ```
//!
//! # Known deviations
//!
//! * Policies are read strictly: what the API server refuses to store is refused here.
//! * A pod that has no address yet (a workload in a manifest) is named by an `ipBlock` only if the block leaves nothing
//!   out; it has one peer for both families.
//! * Verdicts are about new connections; replies always pass.
//!
//! # Features
//!
//! None.

mod address;
mod cluster;
mod diff;
mod error;
mod explain;
mod generate;
mod matrix;
mod peers;
mod policy;
mod ports;
mod profile;
mod selector;

pub use address::Address;
pub use cluster::Cluster;
pub use diff::{Difference, Expected};
pub use error::{Error, Place};
pub use explain::{Explanation, Match, Side};
pub use generate::{Connection, End, Intent};
pub use matrix::Matrix;
pub use ports::{PortSet, Protocol};
pub use profile::{Direction, Profile};
