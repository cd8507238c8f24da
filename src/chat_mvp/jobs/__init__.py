"""Background work that survives a restart: each job is stored with what causes it, and tried until it succeeds.

``runner.py`` claims and runs jobs; ``purge.py`` is the work itself. ``expired_sessions.py`` is a regular task without
stored jobs, because the sessions themselves say what is to be done.
"""
