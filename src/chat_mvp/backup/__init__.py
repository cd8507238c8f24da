"""Backups: one file that holds a whole database as it was in one moment, taken while servers run, and restored whole.

The file is a tar archive. ``chat-mvp-backup.txt`` says what it is; ``COLLECTION/NUMBER.bson.gz`` hold the documents of
each collection, in the form that MongoDB's own tools read; ``manifest.json`` comes last and lists every part with its
hash, so a file that was cut short has none.
"""
