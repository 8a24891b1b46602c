"""Stored DFT references: reading, checking, finding."""
