"""Results files: what one run found out about one model."""
