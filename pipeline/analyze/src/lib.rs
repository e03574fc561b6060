//! An interview in, an assessment out: the only room that knows all the others.
