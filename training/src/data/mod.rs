//! Data sets: their folder, their samples, and the batches that networks read.

pub mod answer_file;
mod batch;
mod corpus;
mod header;
pub mod import;
pub mod inspect;
mod record;
mod sample;
pub mod split;
mod statistics;

pub use answer_file::{AnswerContent, TrackContent};
pub use batch::{Batch, WordRows};
pub use corpus::{Corpus, Limits, fingerprint};
pub use header::{DATASET_FORMAT, Header, SchemaEntries, SchemaEntry};
pub use record::{AnswerRecord, PositionRecord, Record, Split, read_records, write_records};
pub use sample::{AnswerSample, Rows, Sample};
pub use statistics::{Normalisation, normalisation};
