"""Torch code that serving and training share: tokenizer, checkpoints, the packed forward and the heads."""
