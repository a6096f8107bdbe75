"""Every deep generative model is a probability transformation."""
