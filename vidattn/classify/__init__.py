"""From a file to an answer: class names with probabilities, and what the answer rests on."""
