"""Checks the examples in the descriptions at these addresses against the schemas that they are examples of."""

import json
import sys
from urllib.request import urlopen

from jsonschema_rs import Draft202012Validator


def examples_of(document):
    """Yields each schema with its examples."""
    components = document["components"]
    for name, schema in components["schemas"].items():
        yield {"$ref": f"#/components/schemas/{name}"}, schema.get("examples", [])
    for name, message in components.get("messages", {}).items():
        payload = {"$ref": f"#/components/messages/{name}/payload"}
        yield payload, [example["payload"] for example in message["examples"]]


count = 0
for address in sys.argv[1:]:
    with urlopen(address) as answer:
        document = json.load(answer)
    for schema, examples in examples_of(document):
        validator = Draft202012Validator({"components": document["components"], **schema}, validate_formats=True)
        for example in examples:
            validator.validate(example)
            count += 1
print(f"{count} examples are valid")
