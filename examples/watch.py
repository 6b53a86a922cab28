"""Prints what happens at an image: python3 watch.py https://tonesa.example/u/aB3dE9xZ
Needs Python 3.11 and websockets 15, or newer."""

import json
import os
import sys
import time
from http.client import HTTPException
from unicodedata import category
from urllib.request import urlopen

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


def say(text):
    """Prints a text without invisible characters, and its further lines indented: they cannot pass for an entry."""
    lines = "".join(char for char in text if category(char) != "Cf").splitlines()
    try:
        print("\n    ".join(lines), flush=True)
    except BrokenPipeError:
        os._exit(0)  # Nobody reads any more. The usual exit would try to write the rest.


class Watcher:
    def __init__(self, link):
        self.origin, self.upload = link.partition("#")[0].split("/u/")
        self.seq, self.id = 0, None  # of the last entry of the log that was printed
        self.pause = 2  # seconds before connecting again

    def follow(self):
        """Prints the log from where it was left, until there is no such image."""
        # The library pings the server by itself, so that it notices a dead connection.
        with connect(self.origin.replace("http", "ws", 1) + "/api/socket", subprotocols=["tonesa.v1"]) as socket:
            watch = {"uploadID": self.upload, "after": self.seq, "afterID": self.id}
            socket.send(json.dumps({"type": "watch", "data": watch}))
            is_watched = False  # what comes before the answer may be of another log
            while True:
                event = json.loads(socket.recv())
                match event["type"], event["data"]:  # what a later version adds is ignored
                    case "watched", data:
                        if data.get("reset"):
                            self.seq, self.id = 0, None  # another log, as after the restore of a backup
                        self.catch_up(data["head"])
                        is_watched, self.pause = True, 2
                    case "headAdvanced", {"head": head} if is_watched:
                        self.catch_up(head)
                    case "messagePosted" | "messageDeleted", {"message": entry} | {"entry": entry} if is_watched:
                        self.catch_up(entry["seq"])
                    case "presence", {"count": count, "people": people}:
                        say(f"{count} here: {', '.join(person['name'] for person in people)}")
                    case ("uploadDeleted", _) | ("refused", {"code": "gone" | "notFound"}):
                        sys.exit("There is no such image, or no longer.")
                    case "refused", {"detail": detail}:
                        raise ConnectionError(detail)

    def catch_up(self, head):
        """Fetches what is new in the log, and prints it."""
        while self.seq < head:
            with urlopen(f"{self.origin}/api/uploads/{self.upload}/messages?after={self.seq}", timeout=30) as answer:
                entries = json.load(answer)["messages"]
            if not entries:
                raise ConnectionError(f"the log ends before {head}")
            for entry in entries:
                self.seq, self.id = entry["seq"], entry["id"]
                if entry["kind"] == "deletion":
                    say(f"#{self.seq} deletes #{entry['deletes']}")
                elif "deletedAt" not in entry:
                    say(f"#{self.seq} {entry['authorName']}: {entry['content']}")


watcher = Watcher(sys.argv[1])
while True:
    try:
        watcher.follow()
    except (OSError, HTTPException, WebSocketException) as error:
        print(f"{error}; connecting again", file=sys.stderr)
        time.sleep(watcher.pause)
        watcher.pause = min(2 * watcher.pause, 30)
