"""A dataset written again so that training reads it fast."""
