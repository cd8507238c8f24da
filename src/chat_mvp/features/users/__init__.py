"""Users: own profile, public profiles, and search."""
