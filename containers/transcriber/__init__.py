"""transcriber: write down what is said in one window of a recording, with times for every word."""
