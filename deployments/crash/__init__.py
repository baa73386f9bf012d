"""The proof by killing: real processes die at real boundaries, normal operation finishes the work, the ends are compared."""
