"""The engine: stores messages, publishes them to their recipients, and queues them for those who are away.

``batch.py`` applies operations in memory, ``writer.py`` commits them, ``bus.py`` carries what was committed to the
connections, ``catchup.py`` and ``drain.py`` bring a connection up to date, ``receipts.py`` publishes receipts.
"""
