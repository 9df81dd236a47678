"""What a run leaves: the two logs, measures, checkpoints, the manifest, the run's folder."""
