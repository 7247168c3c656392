//! How the database gets there: each migration statement judged, and a release planned so that old and new application
//! both work at every moment.
//!
//! It runs nothing and connects to nothing. It judges what stands in the statement; what depends on the table's size
//! or on a column's present type needs review. Unknown means "needs review", never "safe".
//!
//! ```
//! use lotse_migrate_plan::{Class, Engine, Migration, Phase, Plan};
//!
//! let text = "ALTER TABLE users ADD COLUMN email varchar(255);\nALTER TABLE users DROP COLUMN mail;\n";
//! let migration = Migration::read("001_email.sql", text, Engine::Postgres)?;
//! assert_eq!(migration.steps[0].verdict.class, Class::Expand);
//! assert_eq!(migration.steps[1].verdict.class, Class::Contract);
//!
//! let plan = Plan::new(&[migration], 2);
//! assert_eq!(plan.stages[1].phase, Phase::Contract);
//! assert_eq!(plan.stages[1].releases_later, 2);
//! # Ok::<(), lotse_migrate_plan::Error>(())
//! ```
//!
//! # Features
//!
//! None.
//!
//! # Engines and forms
//!
//! PostgreSQL 12 to 18, MySQL 9.7 (8.x as documented, not measured), MariaDB 10.11 and 11.8, SQLite 3.40 to 3.54. SQL
//! files, and Laravel migrations as far as they are plain calls of the schema builder; control flow needs review.
//!
//! Not covered yet: the state of the schema across files (a `MODIFY` or `ALTER … TYPE` always needs review), the table's
//! own state on MySQL and MariaDB (generated columns, FULLTEXT, compression), seeders in PHP classes.

mod classify;
mod engine;
mod error;
mod json;
mod laravel;
mod ledger;
mod migration;
mod php;
mod plan;
mod split;
mod token;
mod verdict;

pub use crate::classify::classify;
pub use crate::engine::Engine;
pub use crate::error::Error;
pub use crate::json::plan_json;
pub use crate::ledger::Ledger;
pub use crate::migration::{Migration, Step};
pub use crate::plan::{DeclaredHook, Hooks, Plan, Problem, ProblemKind, RollbackBlocker, Stage, check_hooks};
pub use crate::split::{Statement, split};
pub use crate::verdict::{Class, Phase, Rewrite, Undo, Verdict};
