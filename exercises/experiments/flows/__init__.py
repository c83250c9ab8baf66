"""Problem 3: planar flows trained on two densities of the plane, from samples and from energies."""
