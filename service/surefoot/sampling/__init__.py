"""Samplers: vLLM in process, transformers where vLLM is not installed, any OpenAI-compatible server, and the fake that
ships for tests."""
