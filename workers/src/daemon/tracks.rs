//! Tracks as the database keeps them: safetensors (`values` f32 `[T, D]`, `valid` u8 `[T]`), compressed by zstd.

use std::sync::Arc;

use hirenet_core::{Code, Modality, Schema, Track};
use hirenet_store::{StoredTrack, pack, unpack};
use ndarray::Array2;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::failure::Failure;

/// The largest track that is unpacked, in bytes: an hour of media has some 7 MB.
const MAX_BYTES: usize = 256 << 20;

/// Packs a track. One that holds a number that is not finite is a model's failure, and is not stored.
pub(crate) fn encode(modality: Modality, track: &Track) -> Result<StoredTrack, Failure> {
    if track.values.iter().any(|value| !value.is_finite()) {
        return Err(Failure::new(Code::ModelFailed, format!("the {modality} track holds a number that is not finite")));
    }
    let values: Vec<u8> = track.values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let valid: Vec<u8> = track.valid.iter().map(|v| u8::from(*v)).collect();
    let (rows, columns) = (track.rows(), track.schema.dim());
    let packed = TensorView::new(Dtype::F32, vec![rows, columns], &values)
        .and_then(|values| Ok([("values", values), ("valid", TensorView::new(Dtype::U8, vec![rows], &valid)?)]))
        .and_then(|views| safetensors::serialize(views, None));
    let packed = packed.map_err(|error| Failure::internal(&error.into()))?;
    let bytes = pack(&packed).map_err(|error| Failure::internal(&error.into()))?;
    let count = |n: usize| i32::try_from(n).map_err(|error| Failure::internal(&error.into()));
    Ok(StoredTrack {
        modality,
        schema: track.schema.id.clone(),
        rows: count(rows)?,
        valid_rows: count(track.valid_rows())?,
        bytes,
    })
}

/// Unpacks a track whose schema is one of `known`.
pub(crate) fn decode(stored: &StoredTrack, known: &[Arc<Schema>]) -> Result<Track, Failure> {
    let damaged = || Failure::new(Code::StoreFailed, format!("the stored {} track is damaged", stored.modality));
    let schema = known.iter().find(|schema| schema.id == stored.schema).ok_or_else(|| {
        Failure::new(
            Code::BundleSchema,
            format!("a stored track has the schema {}, which is not known here", stored.schema),
        )
    })?;
    let packed = unpack(&stored.bytes, MAX_BYTES).map_err(|_| damaged())?;
    let tensors = SafeTensors::deserialize(&packed).map_err(|_| damaged())?;
    let values = tensors.tensor("values").map_err(|_| damaged())?;
    let valid = tensors.tensor("valid").map_err(|_| damaged())?;
    let rows = usize::try_from(stored.rows).map_err(|_| damaged())?;
    if values.dtype() != Dtype::F32 || values.shape() != [rows, schema.dim()] || valid.shape() != [rows] {
        return Err(damaged());
    }
    let numbers = values.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Ok(Track {
        schema: schema.clone(),
        values: Array2::from_shape_vec((rows, schema.dim()), numbers).map_err(|_| damaged())?,
        valid: valid.data().iter().map(|v| *v != 0).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::{visual_face, vocal_lld51};

    fn track() -> Track {
        let schema = vocal_lld51();
        let values = Array2::from_shape_fn((5, schema.dim()), |(row, column)| row as f32 - column as f32 / 7.0);
        Track { schema, values, valid: vec![true, false, true, true, false] }
    }

    #[test]
    fn a_track_comes_back_as_it_was() {
        let stored = encode(Modality::Vocal, &track()).unwrap();
        assert_eq!((stored.rows, stored.valid_rows), (5, 3));
        assert_eq!(decode(&stored, &[visual_face(), vocal_lld51()]).unwrap(), track());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let stored = encode(Modality::Vocal, &track()).unwrap();
        assert_eq!(decode(&stored, &[visual_face()]).unwrap_err().code(), Code::BundleSchema);
        let cut = StoredTrack { bytes: stored.bytes[..stored.bytes.len() / 2].to_vec(), ..stored.clone() };
        assert_eq!(decode(&cut, &[vocal_lld51()]).unwrap_err().code(), Code::StoreFailed);
        let longer = StoredTrack { rows: 6, ..stored };
        assert_eq!(decode(&longer, &[vocal_lld51()]).unwrap_err().code(), Code::StoreFailed);
    }
}
