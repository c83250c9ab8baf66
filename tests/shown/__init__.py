"""What a student sees, exported from the terminal: the page of ten failures and the pictures of the README."""
