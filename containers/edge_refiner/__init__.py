"""Turn a model's coarse mask into a cutout: mask → trimap → alpha matte → foreground → cutout."""
