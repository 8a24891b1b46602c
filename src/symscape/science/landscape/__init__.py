"""Aligned grids and their metrics."""
