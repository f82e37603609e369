"""How sure an answer can be, given how unsure the numbers behind it are."""
