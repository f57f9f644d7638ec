"""What the procedure has done for it outside the workflow: one injected class for each outside thing."""
