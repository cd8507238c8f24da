"""Conversations: a direct one for each pair of users, and groups and channels with members and roles."""
