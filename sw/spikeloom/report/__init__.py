"""What a run came to: its numbers as JSON, and one HTML page that needs nothing else."""
