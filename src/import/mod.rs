//! Reading messages and tables into a store.

mod json;
