"""What is right and wrong with a request that came by, by checks of the simulator's own."""
