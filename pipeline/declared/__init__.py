"""The frozen values of the repository's TOML files, and the names of resources."""
