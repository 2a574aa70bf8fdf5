"""The platform: everything that containers share, and the local cloud that runs them."""
