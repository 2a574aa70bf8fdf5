"""What the repository's TOML files declare, as frozen values, and what everything is called."""
