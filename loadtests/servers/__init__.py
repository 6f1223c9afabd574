"""Servers as processes of their own, and what stands before them."""
