"""Lets half of the calls name the upload and the message that there are: what is invented finds nothing."""

import os
import re

import schemathesis

PAGE = os.environ["TONESA_PAGE"]
UPLOAD = os.environ["TONESA_UPLOAD"]
MESSAGE = int(os.environ["TONESA_MESSAGE"])
UPLOAD_ID = re.compile("[0-9a-fA-F]{24}|[0-9A-Za-z]{8}")


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    # The upload stays.
    if not path_parameters or context.operation.path == "/api/admin/uploads/{id}":
        return path_parameters
    upload, message = path_parameters.get("id"), path_parameters.get("seq")
    # Only what is valid already, so that invalid input stays invalid.
    if isinstance(upload, str) and UPLOAD_ID.fullmatch(upload) and ord(upload[-1]) % 2:
        path_parameters["id"] = UPLOAD
    if type(message) is int and message % 2 and message > 0:
        path_parameters["seq"] = MESSAGE
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    url = query.get("url") if query else None
    if context.operation.path == "/oembed" and isinstance(url, str) and len(url) % 2:
        query["url"] = PAGE
    return query
