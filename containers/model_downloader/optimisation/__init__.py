"""A network made lean: exact graph rewrites, onnxruntime's offline optimisation, and a proof.

Reading order: `graph` (a network as frozen values) and `terms` (what a pattern is), the passes
`affine`, `deform_conv`, `concat`, `resize`, `chain`, `channels` and their order in `passes`, then
`quantisation`, `offline`, `pictures`, `proof`, and `__main__`, which runs them all.
"""
