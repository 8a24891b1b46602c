"""Crystals, their free Wyckoff coordinates, and slices of the energy landscape."""
