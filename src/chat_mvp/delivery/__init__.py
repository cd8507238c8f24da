"""The engine: stores messages, publishes them to their recipients, and queues them for recipients who are offline.

``batch.py`` applies operations in memory, ``writer.py`` commits them, ``bus.py`` carries committed events to the
connections, ``catchup.py`` and ``drain.py`` bring a connection up to date, ``receipts.py`` publishes receipts.
"""
