"""Softmax and large-margin softmax by hand, in NumPy, every gradient checked."""
