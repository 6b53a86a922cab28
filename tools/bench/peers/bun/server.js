// Bun's built-in publish: rooms are topics, and whatever text a socket sends goes to all of its room.
const [port] = process.argv.slice(2);

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  fetch(request, self) {
    const room = new URL(request.url).pathname;
    if (self.upgrade(request, { data: { room } })) return undefined;
    return new Response('a WebSocket is expected', { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    sendPings: false,
    backpressureLimit: 16 * 1024 * 1024,
    open(socket) {
      socket.subscribe(socket.data.room);
      socket.send('ready');
    },
    message(socket, text) {
      server.publish(socket.data.room, text);
    },
  },
});
