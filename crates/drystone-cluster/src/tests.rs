//! Real connections on loopback: who is let in, who is not, and that nobody is kept waiting.

mod support;

mod crowds;
mod handshakes;
mod links;
mod tokens;
