// Socket.IO at its best: WebSocket only, no compression, bufferutil (which `ws` finds by itself), and no pings in the
// middle of a measurement. With a Redis address as second argument, its adapter for many nodes.
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const [port, redis] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  pingInterval: 3_600_000,
});

if (redis) {
  const publisher = createClient({ url: redis });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

io.on('connection', (socket) => {
  // What it keeps of a request that nobody asks for again is memory for nothing (the project's own advice).
  socket.conn.request = null;
  socket.on('join', async (room) => {
    await socket.join(room);
    socket.emit('ready');
  });
  socket.on('touch', (room, event) => io.to(room).emit('touched', event));
});

http.listen(Number(port), '127.0.0.1');
