"""People: own profile, public profiles, finding others."""
