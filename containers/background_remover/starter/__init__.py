"""How the starter model is made: data, network, training, export, evaluation. Never in an image."""
