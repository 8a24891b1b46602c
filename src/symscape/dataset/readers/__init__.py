"""Readers of the formats that are imported, one a module."""
