"use strict";
// Reads the trace: lanes, their states over time, and where things go.

const data = JSON.parse(document.getElementById("data").textContent);
const KINDS = {
  fault: "faults",
  message: "messages",
  watch: "watches",
  call: "calls",
  store: "store",
  socket: "connections",
  presence: "presence",
  touch: "touches",
};
const frameKinds = {
  messagePosted: "message",
  messageDeleted: "message",
  uploadDeleted: "message",
  headAdvanced: "message",
  watched: "watch",
  watch: "watch",
  unwatch: "watch",
  refused: "watch",
  presence: "presence",
  touched: "touch",
  touch: "touch",
};

function frame(what) {
  const begin = what.indexOf("{");
  if (begin < 0) return null;
  try {
    return JSON.parse(what.slice(begin));
  } catch {
    return null;
  }
}

function kindOf(who, what, parsed) {
  if (who === "!") return "fault";
  if (parsed) return frameKinds[parsed.type] ?? "presence";
  if (what.startsWith("store ")) return "store";
  if (what.startsWith("asks ") || what.startsWith("is answered")) return "call";
  if (/^(starts|ends)/.test(what)) return "fault";
  return "socket";
}

// A frame in few words.
function inShort(parsed) {
  const it = parsed.data ?? {};
  switch (parsed.type) {
    case "messagePosted": return `message ${it.message.seq}: “${it.message.content}”`;
    case "messageDeleted": return `${it.entry.seq} deletes message ${it.entry.deletes}`;
    case "uploadDeleted": return "the upload is gone";
    case "headAdvanced": return `the newest is ${it.head}`;
    case "watched": {
      const count = (it.entries ?? it.messages ?? []).length;
      return `${it.reset ? "start anew" : "watched"}: the newest is ${it.head}` + (count ? `, with ${count} entries` : "");
    }
    case "watch": return `watch, I have ${it.after ?? "nothing"}`;
    case "unwatch": return "unwatch";
    case "refused": return `${it.command} refused: ${it.code}`;
    case "presence": return `${it.count} are here`;
    case "touch": return "touch";
    case "touched": return "somebody touches";
    default: return parsed.count === undefined ? "frame" : `${parsed.count} of my sockets watch` + (parsed.hello ? ", and yours?" : "");
  }
}

const verbs = [["publishes ", "publishes"], ["gets ", "gets"], ["misses ", "misses"], ["-> ", "sends"], ["<- ", "receives"]];

function words(what, parsed) {
  const verb = verbs.find(([prefix]) => what.startsWith(prefix));
  if (verb && parsed) return `${verb[1]} ${inShort(parsed)}`;
  return what.replace(/CaughtUp \{ missed: (\d+) \}/, "CaughtUp ($1 missed)").replace(/[0-9a-f]{24}/g, (id) => `upload ${id.slice(0, 4)}`);
}

const events = data.lines.map(([at, who, what], index) => {
  const parsed = frame(what);
  return { index, at, who, what, parsed, kind: kindOf(who, what, parsed), text: words(what, parsed) };
});

// The lanes: nodes, then clients by the upload that they show.
const uploads = new Map();
const lanes = new Map([0, 1, 2].map((node) => [`n${node}`, { name: `n${node}`, group: "nodes", bars: [], states: [] }]));
for (const event of events) {
  const shown = event.what.match(/^shows (\w+)/);
  if (shown) {
    if (!uploads.has(shown[1])) uploads.set(shown[1], `upload ${uploads.size + 1}`);
    lanes.set(event.who, { name: event.who, group: uploads.get(shown[1]), bars: [], states: [] });
  }
}
for (const event of events) {
  for (const [id, name] of uploads) event.text = event.text.replaceAll(`upload ${id.slice(0, 4)}`, name);
}
const clientNames = [...lanes.keys()].filter((name) => name[0] === "c");
const firstClient = Math.min(...clientNames.map((name) => Number(name.slice(1))));

// Faults in words, with the lane that they affect.
const faultWords = {
  Killed: (n) => [`n${n}`, "is killed", "down"],
  Stopped: (n) => [`n${n}`, "is told to stop", "slow"],
  Frozen: (n) => [`n${n}`, "is frozen", "down"],
  StoreIs: (link, n) => [`n${n}`, link === "Slow" ? "its store is slow" : "its store fails", link === "Slow" ? "slow" : "broken"],
  BrokerIs: (link, n) => [`n${n}`, link === "Cut" ? "its broker connection is cut" : "frames to it get lost, doubled and late", link === "Cut" ? "broken" : "slow"],
  Noticed: (n) => [`n${n}`, "notices that its subscription is lost", "broken"],
  ClockJumps: (n) => [`n${n}`, "its wall clock is wrong", "slow"],
  ClientStalls: (c) => [`c${firstClient + Number(c)}`, "reads nothing", "slow"],
  ClientVanishes: (c) => [`c${firstClient + Number(c)}`, "vanishes: its node does not know", "broken"],
  ClientIsCutOff: (c) => [`c${firstClient + Number(c)}`, "its connection carries nothing", "broken"],
  ClientIsOffline: (c) => [`c${firstClient + Number(c)}`, "is offline", "down"],
};
const phases = [];
const faults = [];
let violationAt = null;

function readFault(event) {
  if (event.what.startsWith("phase: ")) {
    phases.push({ at: event.at, name: event.what.slice(7) });
    event.text = event.what.slice(7);
    return;
  }
  if (event.what.startsWith("VIOLATED")) {
    violationAt ??= event;
    return;
  }
  const [, end, name, args = "", , duration] = event.what.match(/^(end of )?(\w+)(?:\(([^)]*)\))?( for (\d+) ms)?/) ?? [];
  const say = faultWords[name];
  const [lane, text, look] = say ? say(...args.split(", ")) : [null, name === "Restored" ? "a backup of the store is made, to be restored" : event.what, null];
  event.lane = lane;
  if (end) {
    event.text = name === "Restored" ? "the nodes are stopped, and the backup is restored: what was stored since is lost" : `over: ${lane} ${text}`;
    return;
  }
  event.text = `${lane ?? ""} ${text}`.trim();
  const fault = { from: event.at, to: event.at + Number(duration ?? 0), text, look };
  faults.push({ ...fault, lane });
  if (lane && lanes.has(lane)) lanes.get(lane).bars.push(fault);
}

// States over time: of nodes whether they run, of clients what the reader sees.
const looks = { Live: "up", CaughtUp: "up", Connecting: "slow", Delayed: "slow", Reconnecting: "broken", Offline: "down", Gone: "down", NotFound: "down" };
const links = [];
const at = new Map();
const published = new Map();
const arrived = new Map();
for (const event of events) {
  const lane = lanes.get(event.who);
  if (event.who === "!") {
    readFault(event);
    continue;
  }
  if (!lane) continue;
  const state = event.what.match(/^is (\w+)(?: \{[^}]*\})? at (\d+)/);
  if (state) lane.states.push({ at: event.at, look: looks[state[1]] ?? "slow", text: state[1], head: Number(state[2]) });
  if (event.what.startsWith("starts")) lane.states.push({ at: event.at, look: "up", text: "runs" });
  if (event.what === "ends") lane.states.push({ at: event.at, look: "down", text: "does not run" });
  const connects = event.what.match(/^connects to (n\d)/);
  const link = (from, at1, to, at2) => links.push({ from, at1, to, at2, kind: event.kind, index: event.index });
  if (connects) {
    at.set(event.who, connects[1]);
    lane.states.push({ ...(lane.states.at(-1) ?? { look: "slow", text: "Connecting", head: 0 }), at: event.at, node: connects[1] });
    link(event.who, event.at, connects[1], event.at + 25);
  }
  if (state && lane.states.length > 1) lane.states.at(-1).node = lane.states.at(-2).node;
  const body = event.what.slice(event.what.indexOf("{"));
  if (event.what.startsWith("publishes")) published.set(body, event);
  if (/^(gets|misses)/.test(event.what) && published.has(body)) {
    const from = published.get(body);
    link(from.who, from.at, event.who, event.at);
    if (event.what.startsWith("misses")) links.at(-1).lost = true;
    else arrived.set(event.who + body, event.at);
  }
  if (event.what.startsWith("<- ") && at.has(event.who)) {
    const node = at.get(event.who);
    link(node, Math.max(arrived.get(node + body) ?? 0, event.at - 60), event.who, event.at);
  }
  if (event.what.startsWith("-> ") && at.has(event.who)) link(event.who, event.at, at.get(event.who), event.at + 25);
  const asks = event.what.match(/^asks (n\d)/);
  if (asks) {
    lane.asked = asks[1];
    link(event.who, event.at, asks[1], event.at);
  }
  if (event.what.startsWith("is answered") && lane.asked) link(lane.asked, event.at - 25, event.who, event.at);
}

// Nodes run from before the round on. A client whose connection is broken gets another one.
for (const lane of lanes.values()) {
  if (lane.group === "nodes") lane.states.unshift({ at: data.begin, look: "up", text: "runs" });
  for (const bar of lane.bars.filter((it) => it.text.startsWith("vanishes") || it.text.startsWith("its connection"))) {
    const next = events.find((event) => event.at > bar.from && event.who === lane.name && event.what.startsWith("connects"));
    bar.to = next?.at ?? bar.to;
  }
}

function stateAt(lane, time) {
  let found = null;
  for (const state of lane.states) {
    if (state.at > time) break;
    found = state;
  }
  return found;
}
