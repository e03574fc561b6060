//! Words to vectors: the verbal track, question and title vectors.
