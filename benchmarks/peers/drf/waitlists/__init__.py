"""Waitlists and who stands in them."""
