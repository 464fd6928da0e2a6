"""Coverage-guided fuzzing of everything that reads a user's file."""
