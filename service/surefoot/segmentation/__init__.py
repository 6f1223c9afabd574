"""From a solution text to its steps, and from given steps to a text; positions count Unicode code points."""

from surefoot.segmentation.solutions import join_steps, split_solution

__all__ = ["join_steps", "split_solution"]
