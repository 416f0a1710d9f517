"""What this machine has, what is broken, and the line that mends it; needs nothing but Python and rich."""
