"""Can a small judge teach a big one? Weak-to-strong generalization (Burns et al. 2023, arXiv 2312.09390)."""
