"""``chat-mvp chat``: a small client for the terminal, for people and for scripts; it doubles as a debugging tool."""
