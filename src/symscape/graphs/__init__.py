"""Neighbour lists of whole batches, as torch operations on the device where a model computes."""
