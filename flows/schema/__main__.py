"""``python -m flows.schema`` writes the schema file anew."""

from flows.document import write_schema

if __name__ == "__main__":
    write_schema()
