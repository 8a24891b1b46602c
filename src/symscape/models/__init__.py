"""Potentials behind one interface."""
