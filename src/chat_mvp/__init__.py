"""chat-mvp: a self-hosted chat server with a written delivery contract."""

__version__ = "0.1.0"
