"""Presence: choosing how one is seen, and whose presence one is told."""
