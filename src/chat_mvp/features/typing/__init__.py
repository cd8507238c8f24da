"""Typing: who is writing now. It is never stored, is dropped under load, and ends after six seconds."""
