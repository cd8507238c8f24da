"""Contact lists and block lists."""
