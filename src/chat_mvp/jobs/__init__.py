"""Background work that survives a restart: each job is stored with its cause, and retried until it succeeds.

``runner.py`` claims and runs jobs, and ``purge.py`` does their work. ``expired_sessions.py`` is a regular task without
stored jobs, because the sessions themselves say what is to be done.
"""
