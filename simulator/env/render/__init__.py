"""What a user sees, drawn."""
