"""One video reader per decoding library, all with the same protocol."""
