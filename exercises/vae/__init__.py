"""Problem 1: the variational autoencoder."""
