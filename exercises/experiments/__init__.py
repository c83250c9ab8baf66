"""Given: networks, training loops and figures; each takes an implementation as an argument."""
