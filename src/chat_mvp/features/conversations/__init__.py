"""Conversations: direct ones, one for each pair, and groups and channels with their members and roles."""
