"""Problem 1: a variational autoencoder of binary images, trained with the student's functions."""
