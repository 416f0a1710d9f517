"""How far a network's probabilities are to be believed, and from which one on an answer is given at all."""
