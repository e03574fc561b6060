use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use hirenet_core::sha256_bytes;
use ort::AsPointer;
use ort::environment::Environment;
use ort::ep;
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use serde::{Deserialize, Serialize};

use crate::OnnxError;

/// The provider that every build of the library has.
const CPU_PROVIDER: &str = "CPUExecutionProvider";

/// Where networks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// A CUDA device where one is usable, else the CPU with one warning.
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this number.
    Cuda(u32),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Device::Auto),
            "cpu" => Ok(Device::Cpu),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|n| n.parse().ok())
                .map(Device::Cuda)
                .ok_or_else(|| format!("`{text}` is not a device: use auto, cpu or cuda:N")),
        }
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Device::Auto => f.write_str("auto"),
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(n) => write!(f, "cuda:{n}"),
        }
    }
}

/// Settings of the runtime, section `onnx` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnnxSettings {
    /// The shared library; empty: looked for beside the executable, then where `make setup` puts it.
    pub library: PathBuf,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: Device,
    /// Whether somebody named the device just now, and so waits to hear what became of it. Not a setting.
    #[serde(skip)]
    pub device_asked_for: bool,
    /// Threads inside one network. One network a thread keeps stages from fighting over cores.
    pub threads: usize,
}

impl Default for OnnxSettings {
    fn default() -> Self {
        OnnxSettings { library: PathBuf::new(), device: Device::Auto, device_asked_for: false, threads: 1 }
    }
}

impl OnnxSettings {
    /// Checks the ranges that the types cannot say.
    ///
    /// # Errors
    /// [`OnnxError::Setting`] with the first setting that is out of range.
    pub fn validate(&self) -> Result<(), OnnxError> {
        if (1..=64).contains(&self.threads) {
            Ok(())
        } else {
            Err(OnnxError::Setting { setting: "threads", detail: "must lie between 1 and 64" })
        }
    }
}

/// A model file with the hash that it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The sha256 that the manifest names; `None` for a file of the user's own.
    pub sha256: Option<String>,
}

impl ModelFile {
    /// A file without a known hash.
    pub fn unverified(path: impl Into<PathBuf>) -> Self {
        ModelFile { path: path.into(), sha256: None }
    }

    /// The file's bytes, checked against its hash.
    ///
    /// # Errors
    /// [`OnnxError::Missing`] where there is no such file, [`OnnxError::Corrupt`] where it cannot be read or differs.
    pub fn read(&self) -> Result<Vec<u8>, OnnxError> {
        let bytes = std::fs::read(&self.path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => OnnxError::Missing(self.path.clone()),
            _ => OnnxError::Corrupt { path: self.path.clone(), detail: error.to_string() },
        })?;
        if let Some(expected) = &self.sha256
            && sha256_bytes(&bytes) != *expected
        {
            let detail = "its sha256 is not the manifest's".to_owned();
            return Err(OnnxError::Corrupt { path: self.path.clone(), detail });
        }
        Ok(bytes)
    }
}

/// The one ONNX Runtime environment of this process. Keep it alive while sessions are in use.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
    device: Device,
    threads: usize,
    cuda_problem: Option<String>,
}

/// Keeps ONNX Runtime from recording or sending usage data. Call it first in `main`.
///
/// Builds of 1.31 and later write an identifier and events into the user's cache folder as soon as they are loaded, for
/// an upload to their maker; the environment's own switch ([`Runtime::start`] turns it off too) comes too late for that.
pub fn forbid_telemetry() {
    #[expect(unsafe_code, reason = "the library reads its switch from the environment")]
    // SAFETY: `main` calls this before any other thread is started, so nothing reads the environment meanwhile.
    unsafe {
        std::env::set_var("ORT_DISABLE_TELEMETRY", "1");
    }
}

/// The version that a device's provider tells of itself.
fn provider_version(device: &ort::device::Device<'_>) -> Option<String> {
    let api = ort::api();
    #[expect(unsafe_code, reason = "ort keeps the library's version string, and a provider's metadata, to itself")]
    // SAFETY: the device is alive while it is borrowed, and owns the pairs; `GetKeyValue` takes a C string that it only
    // reads and gives null or one that lives as long as the pairs: it is copied here.
    let version = unsafe {
        let pairs = (api.EpDevice_EpMetadata)(device.ptr());
        let value = if pairs.is_null() { std::ptr::null() } else { (api.GetKeyValue)(pairs, c"version".as_ptr()) };
        (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
    };
    version
}

impl Runtime {
    /// Loads the library and settles on a device, once, with a strict probe: the runtime itself falls back to the CPU
    /// silently. A CUDA device that was named and cannot be used gives one warning and the CPU. [`Device::Auto`] without
    /// being asked for warns only where a GPU is there: on a machine without one the CPU is what everybody expects.
    ///
    /// # Errors
    /// [`OnnxError::Library`] where the library cannot be loaded, [`OnnxError::Setting`].
    pub fn start(settings: &OnnxSettings) -> Result<Runtime, OnnxError> {
        settings.validate()?;
        let library = |detail: String| OnnxError::Library { path: settings.library.clone(), detail };
        // `init_from` gives an error where `init` would panic on a missing library.
        let environment = ort::init_from(&settings.library)
            .map_err(|error| library(error.to_string()))?
            .with_name("hirenet")
            .with_telemetry(false)
            .build()
            .map_err(|error| library(error.to_string()))?;
        let mut runtime = Runtime { environment, device: Device::Cpu, threads: settings.threads, cuda_problem: None };
        let (number, expected) = match settings.device {
            Device::Cpu => return Ok(runtime),
            Device::Cuda(number) => (number, true),
            Device::Auto => (0, settings.device_asked_for || Path::new("/proc/driver/nvidia").exists()),
        };
        if let Err(error) = runtime.probe_cuda(number) {
            if expected {
                let why = error.to_string();
                tracing::warn!("{}; networks run on the CPU", why.trim_end_matches('.'));
            }
            runtime.cuda_problem = Some(error.to_string());
        }
        Ok(runtime)
    }

    /// The device that sessions run on.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Why [`Device::Auto`] settled on the CPU.
    #[must_use]
    pub fn cuda_problem(&self) -> Option<&str> {
        self.cuda_problem.as_deref()
    }

    /// The library's version, such as `1.31.1`: that of its CPU provider, which is a part of it. Its build where it does
    /// not tell.
    #[must_use]
    pub fn version(&self) -> String {
        let cpu = self.environment.devices().find(|device| device.ep().is_ok_and(|name| name == CPU_PROVIDER));
        cpu.and_then(|device| provider_version(&device)).unwrap_or_else(|| ort::info().to_owned())
    }

    /// Opens a model file after checking its hash.
    ///
    /// # Errors
    /// [`OnnxError::Missing`] or [`OnnxError::Corrupt`], which name the file.
    pub fn open(&self, model: &ModelFile) -> Result<Session, OnnxError> {
        let bytes = model.read()?;
        self.open_bytes(&bytes)
            .map_err(|error| OnnxError::Corrupt { path: model.path.clone(), detail: error.to_string() })
    }

    /// Opens a graph held in memory.
    ///
    /// # Errors
    /// [`OnnxError::Run`] with the runtime's words.
    pub fn open_bytes(&self, bytes: &[u8]) -> Result<Session, OnnxError> {
        self.open_with_files(bytes, &[])
    }

    /// Opens a graph held in memory with the files that [`external_files`](crate::external_files) names: name and content.
    ///
    /// # Errors
    /// [`OnnxError::Run`] with the runtime's words.
    pub fn open_with_files(&self, bytes: &[u8], files: &[(String, Arc<[u8]>)]) -> Result<Session, OnnxError> {
        Self::session(&self.environment, self.device, self.threads, bytes, files)
    }

    fn session(
        environment: &Environment,
        device: Device,
        threads: usize,
        bytes: &[u8],
        files: &[(String, Arc<[u8]>)],
    ) -> Result<Session, OnnxError> {
        let builder = Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            // Spinning pools burn the cores that the other stages need.
            .with_intra_op_spinning(false)?;
        let mut builder = match device {
            Device::Cuda(n) => builder.with_execution_providers([ep::CUDA::default()
                .with_device_id(i32::try_from(n).unwrap_or(0))
                // The default tries every algorithm of every convolution in the first run: 18 s for the landmarks.
                .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
                // Ten bits of mantissa move attention by up to 3e-4; without them a GPU differs from the CPU by 1e-6.
                .with_tf32(false)
                .build()
                .error_on_failure()])?,
            Device::Cpu | Device::Auto => builder,
        };
        for (name, content) in files {
            builder = builder.with_external_initializer_file_in_memory(name, content.clone())?;
        }
        Ok(builder.commit_from_memory(bytes)?)
    }

    fn probe_cuda(&mut self, n: u32) -> Result<(), OnnxError> {
        let graph = crate::graph::probe_graph();
        let device = Device::Cuda(n);
        Self::session(&self.environment, device, 1, &graph, &[])
            .map_err(|error| OnnxError::Device { device: device.to_string(), detail: error.to_string() })?;
        self.device = device;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_and_written() {
        for text in ["auto", "cpu", "cuda:0", "cuda:3"] {
            assert_eq!(text.parse::<Device>().unwrap().to_string(), text);
        }
        assert!("gpu".parse::<Device>().is_err());
        assert!("cuda:x".parse::<Device>().is_err());
    }

    #[test]
    fn a_number_of_threads_out_of_range_is_named() {
        let with = |threads| OnnxSettings { threads, ..OnnxSettings::default() }.validate();
        for good in [1, 64] {
            with(good).unwrap();
        }
        for bad in [0, 65, 100_000] {
            assert_eq!(with(bad).unwrap_err().to_string(), "onnx.threads: must lie between 1 and 64");
        }
    }

    #[test]
    fn a_missing_library_is_an_error_that_names_it() {
        let settings = OnnxSettings { library: "/nowhere/libonnxruntime.so".into(), ..OnnxSettings::default() };
        let error = Runtime::start(&settings).unwrap_err();
        assert!(error.to_string().contains("/nowhere/libonnxruntime.so"), "{error}");
    }

    #[test]
    fn a_model_with_another_hash_is_corrupt() {
        let file = ModelFile { path: "Cargo.toml".into(), sha256: Some("0".repeat(64)) };
        assert!(matches!(file.read(), Err(OnnxError::Corrupt { .. })));
        assert!(matches!(ModelFile::unverified("nowhere.onnx").read(), Err(OnnxError::Missing(_))));
    }
}
