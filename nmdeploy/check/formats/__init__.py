"""The formats in which an outcome is printed, one file each."""
