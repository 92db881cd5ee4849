//! Forms: the form language.
