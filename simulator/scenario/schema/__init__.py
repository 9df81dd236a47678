"""What a scenario file may hold: one class per block, each number with unit and provenance."""
