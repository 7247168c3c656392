//! The database engines whose facts are known.

use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// A database engine. Facts were measured on PostgreSQL 12 to 18, MySQL 9.7, MariaDB 10.11 and 11.8, SQLite 3.40 and
/// 3.54; for MySQL 8 they are documented, not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Engine {
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl Engine {
    /// MySQL and MariaDB share a dialect, and each DDL statement commits by itself in both.
    pub(crate) fn is_mysql_family(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }
}

impl FromStr for Engine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "mysql" => Ok(Self::MySql),
            "mariadb" => Ok(Self::MariaDb),
            "postgres" | "postgresql" | "pgsql" => Ok(Self::Postgres),
            "sqlite" => Ok(Self::Sqlite),
            _ => Err(Error::UnknownEngine { name: text.chars().take(60).collect() }),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        })
    }
}
