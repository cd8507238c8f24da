"""The two machine-readable contracts, made from the code: OpenAPI for HTTP, AsyncAPI for the WebSocket."""
