"""What a GPU computes, beside what the CPU does. Every test needs a GPU."""
