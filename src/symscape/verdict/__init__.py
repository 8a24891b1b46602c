"""Tolerances and the judgement of cases."""
