"""The engine: how a message gets from a sender to everybody it is for, and how none is ever lost.

``batch.py`` decides (pure), ``writer.py`` commits, ``bus.py`` carries what was committed to the connections of every
process, ``catchup.py`` and ``drain.py`` bring a connection up to date, ``receipts.py`` tells who has read what.
"""
