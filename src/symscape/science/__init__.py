"""What the benchmark measures: landscapes, symmetry contracts, hulls, equations of state.

Arrays in, arrays out; nothing here reads files, knows a tolerance or names a metric.
"""
