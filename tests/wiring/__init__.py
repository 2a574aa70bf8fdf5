"""Deploy the real stacks on MiniStack and test them there. Run by `make check-wiring`."""
