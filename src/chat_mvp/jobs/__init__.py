"""Background work that survives a restart: each job is stored with what causes it, and tried until it succeeds.

``runner.py`` claims and runs jobs; the other modules are the work itself, one for each kind.
"""
