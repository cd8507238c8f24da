"""The benchmark that ``chat-mvp bench`` runs.

Server, mongod and load generator are processes of their own, and what each costs is counted apart. ``orders.py`` is
what the driver (this package) and the load generator (``bench.load``) say to each other.
"""
