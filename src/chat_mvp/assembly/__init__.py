"""The wiring: every object is made here, once, and handed what it needs.

Each module builds one part from those below it: ``foundation`` (clock, database, limits), ``engine`` (writer, presence,
connections), ``services`` (the features) and ``realtime`` (the WebSocket endpoint, what runs in the background).
``chat_mvp.app`` puts them into an application.
"""
