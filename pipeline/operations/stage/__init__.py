"""Look after a stage on AWS: what it has, what is next, what a destroyed one left."""
