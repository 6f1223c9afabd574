"""Samplers: vLLM in process, transformers where vLLM is not installed, and the fake that ships for tests."""
