"""Presence: the state that a user chooses, and the users whose presence a connection gets."""
