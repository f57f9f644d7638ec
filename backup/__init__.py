"""One file that holds a whole city: how it is written while the system runs, and how it is put back."""
