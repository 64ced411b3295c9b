//! Tests of the screen: what is drawn, and what keys and events make of the model.

mod fixture;
mod reducer;
mod screens;
