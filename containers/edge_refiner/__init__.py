"""From a model's coarse mask to a cut-out: mask → trimap → alpha matte → foreground → cutout."""
