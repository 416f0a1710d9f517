"""Who does what, where: lists of boxes, and what they say of the people of a clip."""
