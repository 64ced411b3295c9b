//! One suite for the in-process RESP server and real Redis.
