"""The exported JSON Schema of the document."""
