"""Background work that survives a restart: each job is stored with its cause, and retried until it succeeds.

``runner.py`` claims and runs jobs. Each of the other modules does the work of one or more kinds of jobs.
"""
