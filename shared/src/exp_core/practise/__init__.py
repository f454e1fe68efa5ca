"""Practise: a skeleton to fill in, and an examiner who says what is wrong with it, on a smallest failing input."""
