"""Plugins for pytest that apply to every test here."""
