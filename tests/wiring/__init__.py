"""A second engine, MiniStack, for what moto cannot judge. `make test-wiring`."""
