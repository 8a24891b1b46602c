"""Runs over data sets that outgrow one process: chunks, clusters, and tables of what they gave."""
