"""Committed events: what changed, stored in the transaction that changed it.

An event says what happened, in the past tense, with all that a reader needs to react: other processes, consumers (see
``chat_mvp.consumers``), and this process's own connections. ``types.py`` defines the events and ``codec.py`` turns them
into text and back. ``chat_mvp.storage.events`` stores and reads them.
"""
