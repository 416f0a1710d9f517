"""Answers about a stream while it comes."""
