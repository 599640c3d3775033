"""An evaluation led from a checkpoint and films to figures that are kept with a run."""
