"""HTTP/1.1 over uvicorn, with limits on the resources that a client may use before it is signed in."""
