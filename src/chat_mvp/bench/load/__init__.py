"""The load generator: a process of its own that plays many people with as little work as it can.

It connects with picows and decodes only the fields it needs, so that the machine's time goes to what is measured.
"""
