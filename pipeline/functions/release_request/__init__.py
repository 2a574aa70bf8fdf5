"""ReadRequest: one release out of what a person typed, or out of the build an event names."""
