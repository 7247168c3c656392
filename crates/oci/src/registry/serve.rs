use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::http::converse;
use super::{Options, Registry};
use crate::Error;

/// Connections that are served at once; more of them wait.
const CONNECTIONS: usize = 64;
/// A connection on which nothing comes for so long is closed.
const IDLE: Duration = Duration::from_secs(60);

impl Registry {
    /// Serves a new registry on a free port of 127.0.0.1 until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new); [`Error::Io`] if no port can be had.
    pub fn start(options: Options) -> Result<Running, Error> {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let server = Server::bind(Arc::new(Self::new(options)?), address)?;
        Ok(server.spawn())
    }
}

/// A registry with a listener.
#[derive(Debug)]
pub struct Server {
    registry: Arc<Registry>,
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    open: Mutex<BTreeMap<u64, TcpStream>>,
    ended: Condvar,
}

impl Server {
    /// Listens on an address. It is unencrypted and, unless the registry's options say otherwise, open to everybody who
    /// reaches it: keep it on loopback.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn bind(registry: Arc<Registry>, address: SocketAddr) -> Result<Self, Error> {
        let failed = |error| Error::io("listen on", address.to_string().as_ref())(error);
        let listener = TcpListener::bind(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { registry, listener, address, shared: Arc::default() })
    }

    /// The address, with the port that was found.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the listener fails.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn run(self) -> Result<(), Error> {
        let address = self.address.to_string();
        self.accept().map_err(Error::io("listen on", address.as_ref()))
    }

    /// Serves in the background.
    #[must_use]
    pub fn spawn(self) -> Running {
        let (registry, address, shared) =
            (Arc::clone(&self.registry), self.address, Arc::clone(&self.shared));
        let thread = thread::spawn(move || {
            // Without its listener there is nothing that could be said to anyone.
            let _ = self.accept();
        });
        Running { registry, address, shared, thread: Some(thread) }
    }

    fn accept(self) -> io::Result<()> {
        let mut number = 0;
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                // A client that did not wait is no failure of the listener.
                Err(error) if is_the_clients(error.kind()) => continue,
                Err(error) => return Err(error),
            };
            if self.shared.stopped.load(Ordering::SeqCst) {
                return Ok(());
            }
            let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
            while open.len() >= CONNECTIONS {
                open = self.shared.ended.wait(open).unwrap_or_else(PoisonError::into_inner);
            }
            number += 1;
            let Ok(copy) = stream.try_clone() else { continue };
            open.insert(number, copy);
            drop(open);
            let (registry, shared) = (Arc::clone(&self.registry), Arc::clone(&self.shared));
            thread::spawn(move || {
                let own = number;
                // One write is one answer; nothing is gained by waiting for more.
                let _ = stream.set_nodelay(true);
                let _ = stream.set_read_timeout(Some(IDLE));
                // A connection that breaks is the client's to notice.
                let _ = converse(&registry, &stream);
                let _ = stream.shutdown(Shutdown::Both);
                shared.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&own);
                shared.ended.notify_all();
            });
        }
    }
}

fn is_the_clients(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// A registry that is being served. Dropped, it closes every connection and stops.
#[derive(Debug)]
pub struct Running {
    registry: Arc<Registry>,
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The registry, to inject faults, or to be asked without a socket.
    #[must_use]
    pub const fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).values() {
            // Closed by the other side already is as good.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // The listener looks whether it has been stopped when somebody comes.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
