"""Optimise a network: exact graph rewrites, onnxruntime's offline optimisation, and a comparison.

Reading order: `graph` (a network as frozen values), `terms` (patterns) and `rewriting` (passes);
the passes in `constants`, `pointwise`, `deform_conv` with `sampling` and `opset`, `channels`,
`rows`, and `tiling` with `ranges`; their order in `passes`; then `quantisation`, `offline`,
`pictures` and `sounds`, `in_parts` (a published network that does not fit), `proof` (the
comparison); `lean`, which carries out an `order`; and `__main__`, its process.
"""
