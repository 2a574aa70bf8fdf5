"""ReadRequest: read a release from an operator's input or a CodeBuild event."""
