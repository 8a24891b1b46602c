"""Data sets: lists of crystals with energies from elsewhere, as Parquet files in a folder."""
