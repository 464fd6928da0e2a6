"""Coverage-guided fuzzing of everything that reads a user's file, and of the driver of a device."""
