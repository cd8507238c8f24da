"""The command line: ``serve``, ``demo``, ``doctor``, ``config``, ``chat``. Thin: what it calls does the work.

Modules of this package are imported by the command that needs them and not before, so that each starts quickly.
"""
