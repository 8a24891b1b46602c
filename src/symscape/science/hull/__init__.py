"""Formation energies, convex hulls and how they are off, by the crystals' symmetry."""
