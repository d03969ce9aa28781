"""Batch ELT of retailers' page views and orders into attribution-ready event tables."""
