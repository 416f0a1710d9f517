"""Everything that times, and the rivals that it times us against."""
