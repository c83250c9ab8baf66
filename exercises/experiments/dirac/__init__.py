"""The Dirac GAN: data at one point, a generator of one parameter, a linear critic."""
