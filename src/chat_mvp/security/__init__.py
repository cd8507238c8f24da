"""Passwords, keys, tokens and limits: rules without storage and without transport."""
