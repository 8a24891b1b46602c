"""A package of its own that adds a family of potentials to symscape."""
