"""Shared parts of all HTTP routes: problem documents, strict bodies, callers, pages, the OpenAPI description."""
