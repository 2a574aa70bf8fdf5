"""The stacks themselves, and what moto cannot judge, on MiniStack. `make check-wiring`."""
