"""How good found boxes are: average precision by frames and by tubes. Arrays in, numbers out."""
