"""The command line: ``serve``, ``demo``, ``doctor``, ``config``, ``chat`` and others. Other packages do the work.

A command imports the modules that it needs only when it runs, so that each command starts quickly.
"""
