"""How a property's calls reach an implementation: in this process, or in another one that only answers."""
