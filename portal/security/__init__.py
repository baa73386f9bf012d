"""Who is there, what may that person do, and how do we know."""
