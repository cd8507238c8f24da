"""Typing: who is writing just now. Never stored, dropped under load, and over by itself after six seconds."""
