"""What imports are held to: each framework's own run, in an environment of its own."""
