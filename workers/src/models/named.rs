use std::path::{Path, PathBuf};

use hirenet_onnx::ModelFile;

use super::{Entry, Manifest};

/// What a setting or the command line names as a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named<'m> {
    /// A model of the manifest.
    Model(&'m Entry),
    /// A file of the user's own, there or not.
    File(PathBuf),
    /// Neither: a bare word that the manifest does not have.
    Unknown,
}

impl Manifest {
    /// What `name` names: a model of the manifest by its name or its file's, else a path.
    pub(crate) fn named(&self, name: &str) -> Named<'_> {
        if let Ok(entry) = self.by_name(name) {
            return Named::Model(entry);
        }
        let path = Path::new(name);
        let bare = path.components().count() <= 1 && path.extension().is_none();
        if bare && !path.is_file() { Named::Unknown } else { Named::File(path.to_path_buf()) }
    }

    /// A file under a path of the user's own. One that has the file name and the length of a manifest's model must have
    /// its hash too: a copy that was damaged is seen.
    pub(crate) fn file_elsewhere(&self, path: PathBuf) -> ModelFile {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let entry = self.entries().iter().find(|entry| Some(&entry.file) == file.as_ref());
        let length = std::fs::metadata(&path).ok().map(|metadata| metadata.len());
        let sha256 = entry.zip(length).and_then(|(entry, length)| entry.sha256_of(length));
        ModelFile { sha256: sha256.map(str::to_owned), path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_model_a_path_or_nothing() {
        let manifest = Manifest::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models"))).unwrap();
        for name in ["ggml-tiny", "ggml-tiny.bin"] {
            assert!(matches!(manifest.named(name), Named::Model(entry) if entry.name == "ggml-tiny"), "{name}");
        }
        for path in ["own.bin", "folder/model", "/nowhere/x"] {
            assert_eq!(manifest.named(path), Named::File(path.into()));
        }
        for nothing in ["", "ggml-tinny"] {
            assert_eq!(manifest.named(nothing), Named::Unknown, "`{nothing}`");
        }
    }
}
