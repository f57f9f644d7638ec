"""A whole city played through the product's own interface: citizens' messages in, staff at work, and the books checked."""
