//! How the database gets there: DDL classified, ordered and planned without downtime.
