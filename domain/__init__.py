"""The rules of the product, pure: standard library only, no input or output, no clock, no randomness."""
