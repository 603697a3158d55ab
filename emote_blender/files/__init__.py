"""Bytes <-> plain values: reads and writes files, knows no faces."""
