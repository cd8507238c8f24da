"""The two machine-readable contracts, generated from the code: OpenAPI for HTTP, AsyncAPI for the WebSocket."""
