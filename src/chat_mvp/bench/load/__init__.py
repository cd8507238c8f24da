"""The load generator: a separate process that acts as many users, with as little work as possible.

It connects with picows and decodes only the fields that it needs, so that most of the machine's time remains for the
server under test.
"""
