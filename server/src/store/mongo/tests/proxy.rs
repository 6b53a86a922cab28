//! A proxy to the server that injects a fault into one command.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::*;

/// The fault of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server executes it, and the reply is lost.
    LosesReply,
    /// The server executes it, and then the connection breaks.
    Breaks,
    /// The server receives it only when the test says so.
    Holds,
    /// The server receives neither it nor anything later, as if the node had ended.
    Ends,
}

/// The proxy, which ends with the test's runtime.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The first bytes of the command, and its fault.
    fault: Mutex<Option<(Vec<u8>, Fault)>>,
    has_ended: AtomicBool,
    release: Notify,
    done: Notify,
}

impl Proxy {
    /// Listens for connections to this server.
    pub async fn start(server: &Mongo) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let (address, accepting) = (address(&server.url()), Arc::clone(&shared));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address).await.unwrap();
                tokio::spawn(forward(client, server, Arc::clone(&accepting)));
            }
        });
        Self { port, shared }
    }

    /// Opens a node's store in this database, which reaches the server through the proxy only.
    pub async fn open(&self, database: &FreshDatabase) -> MongoStore {
        let here = format!("127.0.0.1:{}", self.port);
        let url = database.url.replacen(&address(&database.url), &here, 1);
        let url = url.replacen('?', "?directConnection=true&", 1);
        MongoStore::open(&secret(url.trim_end_matches('&')))
            .await
            .unwrap()
    }

    /// Sets the fault of the next insert of entries.
    pub fn arm(&self, fault: Fault) {
        self.arm_at("insert", "messages", fault);
    }

    /// Sets the fault of the next command of this name for this collection.
    pub fn arm_at(&self, command: &str, collection: &str, fault: Fault) {
        let length = i32::try_from(collection.len() + 1).unwrap();
        // The first field of its BSON document, a string.
        let mut first = Vec::from(*b"\x02");
        for part in [
            command.as_bytes(),
            b"\0",
            &length.to_le_bytes(),
            collection.as_bytes(),
            b"\0",
        ] {
            first.extend_from_slice(part);
        }
        *self.shared.fault.lock().unwrap() = Some((first, fault));
    }

    /// Lets the delayed command through, and waits until the server has replied.
    pub async fn release(&self) {
        self.shared.release.notify_one();
        self.shared.done.notified().await;
    }
}

impl Shared {
    /// Takes the fault for these bytes of a client, if they are the command.
    fn fault_of(&self, bytes: &[u8]) -> Option<Fault> {
        let mut armed = self.fault.lock().unwrap();
        let (_, fault) = armed.take_if(|(first, _)| {
            let mut parts = bytes.windows(first.len());
            parts.any(|part| part == first.as_slice())
        })?;
        Some(fault)
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }
}

/// Forwards one connection, until a command meets the fault.
async fn forward(mut client: TcpStream, mut server: TcpStream, shared: Arc<Shared>) {
    let (mut request, mut reply) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(count @ 1..) = read else { return };
                if shared.has_ended() {
                    return;
                }
                let fault = shared.fault_of(&request[..count]);
                if let Some(fault) = fault {
                    return apply_fault(fault, client, server, &request[..count], &shared).await;
                }
                server.write_all(&request[..count]).await.unwrap();
            }
            read = server.read(&mut reply) => {
                let Ok(count @ 1..) = read else { return };
                // The client may have closed the connection.
                let _ = client.write_all(&reply[..count]).await;
            }
        }
    }
}

async fn apply_fault(
    fault: Fault,
    mut client: TcpStream,
    mut server: TcpStream,
    command: &[u8],
    shared: &Shared,
) {
    if fault == Fault::Ends {
        shared.has_ended.store(true, Ordering::SeqCst);
        return;
    }
    if fault == Fault::Holds {
        shared.release.notified().await;
    }
    server.write_all(command).await.unwrap();
    assert!(server.read(&mut [0; 1_024]).await.unwrap() > 0);
    shared.done.notify_one();
    if fault == Fault::LosesReply {
        // Until the client times out.
        while let Ok(1..) = client.read(&mut [0; 1_024]).await {}
    }
}
