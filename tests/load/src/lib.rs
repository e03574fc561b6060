//! A whole deployment on this machine - private broker and database, several workers - for the soak and the benchmark.

pub mod corpus;
pub mod oracle;
pub mod report;
pub mod services;
pub mod worker;
pub mod world;

pub mod bench;
pub mod chaos;
