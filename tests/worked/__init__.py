"""A worked class of eight, from what is given out to feedback, by the commands that an instructor and students type."""
