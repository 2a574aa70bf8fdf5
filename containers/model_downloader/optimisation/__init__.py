"""A network made lean: exact graph rewrites, onnxruntime's offline optimisation, and a proof.

Reading order: `graph` (a network as frozen values), `terms` (what a pattern is) and `rewriting`
(what a pass is), the passes in `constants`, `pointwise`, `deform_conv` with `sampling` and `opset`,
and `channels`, their order in `passes`, then `quantisation`, `offline`, `pictures`, `proof`,
`lean`, which takes an `order` through them all, and `__main__`, its process.
"""
