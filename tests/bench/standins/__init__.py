"""Networks of the published shapes with random weights, written down layer by layer.

A stand-in has its original's graph (operators, sizes, order, as the published file spells them)
and so its original's memory and time; what it answers means nothing. `net` is what networks are
written with, `layers` what they are made of; then one module per architecture.
"""
