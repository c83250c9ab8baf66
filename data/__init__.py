"""Given data: loaders and generators, one file a data set."""
