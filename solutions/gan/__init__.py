"""Problem 2: adversarial training."""
