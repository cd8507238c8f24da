"""Plugins for pytest that hold for every test here."""
