"""Stages a model's weights in the models bucket: fetched, verified, tried, published whole."""
