"""Say whether a request to the HTTP API has a valid key, and whose it is."""
