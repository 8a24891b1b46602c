"""Pictures of landscapes and hulls, drawn from arrays."""
