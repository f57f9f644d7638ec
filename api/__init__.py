"""The HTTP interface: citizens, staff, and the page behind the link in an SMS."""
