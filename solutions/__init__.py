"""The reference implementation, and the only source of the stubs in exercises/."""
