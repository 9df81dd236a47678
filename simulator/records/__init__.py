"""The records of a run: the two logs, measures, checkpoints, the manifest, the run's folder."""
