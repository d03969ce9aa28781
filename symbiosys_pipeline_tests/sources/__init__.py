"""Tests of how bytes reach us."""
