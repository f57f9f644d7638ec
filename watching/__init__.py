"""Watching the program while it works: figures for Prometheus, traces for OpenTelemetry, and the request a log line belongs to."""
