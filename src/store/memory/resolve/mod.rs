//! Leaves answered from the store's own columns.

mod scan;
