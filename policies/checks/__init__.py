"""What must hold between the files of a policy folder, one module for each part of it."""
