"""From a model's coarse mask to a cutout: mask → trimap → alpha matte → foreground → cutout."""
