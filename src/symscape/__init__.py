"""A benchmark suite for the energy landscapes of interatomic potentials, guided by symmetry."""
