//! A data set's folder, read interview by interview.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use hirenet_core::Modality;

use super::answer_file::{ANSWER_FORMAT, AnswerFile};
use super::{Header, Record, Sample, read_records};
use crate::{Result, TrainError};

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Windows of an answer that are read at most; what follows is left out.
    pub windows: usize,
    /// Words of an answer that are read at most.
    pub words: usize,
    /// Interviews are kept in memory until they take this many bytes; beyond that they are read anew each time.
    pub cache_bytes: usize,
}

impl Default for Limits {
    /// A minute of windows and 400 words, as the project's notes on preprocessing have it; 1 GiB.
    fn default() -> Self {
        Limits { windows: 240, words: 400, cache_bytes: 1 << 30 }
    }
}

impl Limits {
    fn rows(&self, modality: Modality) -> usize {
        match modality {
            Modality::Verbal => self.words,
            Modality::Vocal | Modality::Visual => self.windows,
        }
    }
}

/// SHA-256 of a data set's header and interviews' file, as [`Corpus::fingerprint`].
///
/// # Errors
/// [`TrainError::Read`]
pub fn fingerprint(folder: &Path) -> Result<String> {
    let mut hashes = String::new();
    for name in [super::header::HEADER_FILE, super::record::RECORDS_FILE] {
        let path = folder.join(name);
        let (hash, _) = hirenet_core::sha256_file(&path).map_err(|error| TrainError::read(&path, &error))?;
        hashes += &hash;
    }
    Ok(hirenet_core::sha256_bytes(hashes.as_bytes()))
}

/// A data set.
pub struct Corpus {
    folder: PathBuf,
    header: Header,
    records: Vec<Record>,
    modalities: Vec<Modality>,
    limits: Limits,
    cached: Vec<OnceLock<Arc<Sample>>>,
    cached_bytes: AtomicUsize,
}

impl Corpus {
    /// Opens a folder for some modalities. Answer files are opened when they are needed.
    ///
    /// # Errors
    /// Those of the header and of the records; [`TrainError::Usage`] for a modality that the data set lacks.
    pub fn open(folder: &Path, modalities: &[Modality], limits: Limits) -> Result<Corpus> {
        let header = Header::load(folder)?;
        let records = read_records(folder)?;
        if let Some(missing) = modalities.iter().find(|m| header.schemas.get(**m).is_none()) {
            return Err(TrainError::Usage(format!("{} has no {missing} tracks", folder.display())));
        }
        let cached = records.iter().map(|_| OnceLock::new()).collect();
        let modalities = modalities.to_vec();
        Ok(Corpus {
            folder: folder.to_owned(),
            header,
            records,
            modalities,
            limits,
            cached,
            cached_bytes: AtomicUsize::new(0),
        })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// SHA-256 of what the header and the interviews' file say: which data set this is. Answers' files are not read.
    ///
    /// # Errors
    /// [`TrainError::Read`]
    pub fn fingerprint(&self) -> Result<String> {
        fingerprint(&self.folder)
    }

    /// The modalities' limits and the cache.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The file that names the interviews, for messages.
    #[must_use]
    pub fn records_file(&self) -> PathBuf {
        self.folder.join(super::record::RECORDS_FILE)
    }

    /// Its interviews.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The modalities that samples have.
    #[must_use]
    pub fn modalities(&self) -> &[Modality] {
        &self.modalities
    }

    /// One interview. Rows that are not valid are taken out.
    ///
    /// # Errors
    /// [`TrainError::Read`] and [`TrainError::Dataset`], which name the answer's file.
    pub fn sample(&self, index: usize) -> Result<Arc<Sample>> {
        if let Some(sample) = self.cached[index].get() {
            return Ok(sample.clone());
        }
        let sample = Arc::new(self.read(index)?);
        let bytes = sample.bytes();
        if self.cached_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.limits.cache_bytes {
            return Ok(self.cached[index].get_or_init(|| sample).clone());
        }
        self.cached_bytes.fetch_sub(bytes, Ordering::Relaxed);
        Ok(sample)
    }

    fn read(&self, index: usize) -> Result<Sample> {
        let record = &self.records[index];
        let width = self.header.context_width();
        let (mut answers, mut title) = (Vec::with_capacity(record.answers.len()), None);
        for answer in &record.answers {
            let path = self.folder.join(&answer.file);
            let file = AnswerFile::open(&path, &[ANSWER_FORMAT])?;
            file.check_owner(&record.id, &answer.id)?;
            if title.is_none() {
                title = Some(file.title(width)?);
            }
            answers.push(file.answer(&self.header.schemas, &self.modalities, |m| self.limits.rows(m))?);
        }
        let title = title.unwrap_or_else(|| ndarray::Array2::zeros((0, width)));
        Ok(Sample { index, label: f32::from(record.label), title, answers })
    }
}
