"""Optimise a network: exact graph rewrites, onnxruntime's offline optimisation, and a comparison.

Reading order: `graph` (a network as frozen values), `terms` (patterns) and `rewriting` (passes);
the passes in `constants`, `pointwise`, `deform_conv` with `sampling` and `opset`, and `channels`;
their order in `passes`; then `quantisation`, `offline`, `pictures`, `proof` (the comparison);
`lean`, which carries out an `order`; and `__main__`, its process.
"""
