"""Training of reward models: step-labelled data (without torch), and what learns from it."""
