"""What stands before every edge: requests as they arrive, who makes them, static files, and how the server is."""
