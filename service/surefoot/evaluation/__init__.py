"""What a reward model's scores are worth against labels. Arrays and values come in; nothing here loads a model."""
