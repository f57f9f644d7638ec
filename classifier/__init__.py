"""The trained classifier: learns from decided requests what a message is about, and when it is not sure."""
