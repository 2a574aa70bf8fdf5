"""A product that nobody declared: what the repository has to take in as folders and files."""
