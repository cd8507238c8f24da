"""HTTP/1.1 as the program speaks it over uvicorn: limits on what a client may hold before it is signed in."""
