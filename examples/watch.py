"""Prints what happens at an image: python3 watch.py https://tonesa.example/u/aB3dE9xZ

Needs Python 3.10 or newer and the package websockets."""

import json
import sys
import time
from urllib.request import urlopen

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


class Watcher:
    def __init__(self, link):
        self.origin, self.upload = link.split("/u/")
        self.seq, self.id = 0, None  # of the last entry of the log that was printed

    def follow(self):
        """Prints the log from where it was left, until the image is deleted."""
        address = self.origin.replace("http", "ws", 1) + "/api/socket"
        # The library pings the server by itself, so that it notices a dead connection.
        with connect(address, subprotocols=["tonesa.v1"]) as socket:
            watch = {"uploadID": self.upload, "after": self.seq, "afterID": self.id}
            socket.send(json.dumps({"type": "watch", "data": watch}))
            while True:
                event = json.loads(socket.recv())
                match event["type"], event["data"]:
                    case "watched", data:
                        if data.get("reset"):  # another log, as after the restore of a backup
                            self.seq, self.id = 0, None
                        self.take(data["messages"])
                        self.catch_up(data["head"])
                    case ("messagePosted", {"message": entry}) | ("messageDeleted", {"entry": entry}):
                        self.take([entry])
                    case "headAdvanced", data:
                        self.catch_up(data["head"])
                    case "presence", data:
                        print(data["count"], "here:", *[person["name"] for person in data["people"]])
                    case "touched", data:
                        for at in data["points"]:
                            print(f"{at.get('name', 'Someone')} points at {at['x']:.0%}, {at['y']:.0%}")
                    case ("uploadDeleted", _) | ("refused", {"code": "gone"}):
                        return
                    case "refused", data:
                        raise ConnectionError(data["detail"])
                    # What a later version adds is ignored.

    def take(self, entries):
        """Prints each entry in its turn: what is missing before it is fetched, what was printed is ignored."""
        for entry in entries:
            self.catch_up(entry["seq"] - 1)
            if entry["seq"] > self.seq:
                self.seq, self.id = entry["seq"], entry["id"]
                match entry:
                    case {"kind": "deletion"}:
                        print(f"#{self.seq} deletes #{entry['deletes']}")
                    case {"deletedAt": _}:
                        print(f"#{self.seq} was deleted")
                    case _:
                        print(f"#{self.seq} {entry['authorName']}: {entry['content']}")

    def catch_up(self, head):
        while self.seq < head:
            url = f"{self.origin}/api/uploads/{self.upload}/messages?after={self.seq}"
            with urlopen(url, timeout=30) as answer:
                entries = json.load(answer)["messages"]
            if not entries:
                raise ConnectionError(f"the log ends before {head}")
            self.take(entries)


watcher = Watcher(sys.argv[1])
while True:
    try:
        watcher.follow()
        break
    except (OSError, WebSocketException) as error:
        print(f"{error}; connecting again", file=sys.stderr)
        time.sleep(2)
