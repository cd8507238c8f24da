"""Consumers: parts that react to committed events, in the background, in any process."""
