"""Properties of softmax and L-Softmax, run on any implementation."""
