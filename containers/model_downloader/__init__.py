"""Stage a model's weights in the models bucket: fetch, verify, test and publish them."""
