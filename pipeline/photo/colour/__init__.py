"""What the numbers of a photo mean as colours, and their conversion to 8-bit RGB."""
