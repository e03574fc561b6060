//! HireNet bundles: the graph contract, scoring, attention to spans, and the graph's export.
