"""Tests of the lake and the ledger."""
