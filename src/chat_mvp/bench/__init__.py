"""The benchmark that ``chat-mvp bench`` runs.

The server, mongod and the load generator are separate processes, and their costs are counted separately. ``orders.py``
defines the messages between the driver (this package) and the load generator (``bench.load``).
"""
