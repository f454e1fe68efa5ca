"""New experiments: a file with blanks to fill in, its test, and the smallest package around them."""
