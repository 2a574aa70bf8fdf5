"""Make the starter model: data, network, training, export, evaluation. Not part of an image."""
