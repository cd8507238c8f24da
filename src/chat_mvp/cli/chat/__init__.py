"""``chat-mvp chat``: a small client for the terminal, for users and for scripts, and a debugging tool."""
