//! Registries of others, on a free port of this machine, for as long as they are held.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use lotse_oci::registry::Running;
use lotse_tests::peer;

/// Runs a command that must end well, and returns what it wrote.
pub(crate) fn accepted(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}{errors}");
    out.into_owned()
}

/// Somewhere that answers.
pub(crate) trait Serving {
    fn address(&self) -> SocketAddr;
}

impl Serving for Running {
    fn address(&self) -> SocketAddr {
        Running::address(self)
    }
}

/// Docker's registry, by the name of its program.
pub(crate) struct DockerRegistry {
    child: Child,
    address: SocketAddr,
}

impl DockerRegistry {
    pub(crate) fn start(program: &str, directory: &Path) -> Option<Self> {
        Some(Self::run(&peer(program)?, directory, None))
    }

    /// One that is heavy to build: used where it is, and never demanded.
    pub(crate) fn start_if_there(program: &str, directory: &Path) -> Option<Self> {
        let places = std::env::var_os("LOTSE_PEERS")?;
        let path =
            std::env::split_paths(&places).map(|place| place.join(program)).find(|path| path.is_file())?;
        Some(Self::run(&path, directory, None))
    }

    /// With a certificate and its key.
    pub(crate) fn start_encrypted(program: &str, directory: &Path, tls: (&Path, &Path)) -> Option<Self> {
        Some(Self::run(&peer(program)?, directory, Some(tls)))
    }

    fn run(program: &PathBuf, directory: &Path, tls: Option<(&Path, &Path)>) -> Self {
        fs::create_dir_all(directory).unwrap();
        // Free now; that nobody takes it until the registry does is likely enough to try again if not.
        for _ in 0..5 {
            let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
            let tls = tls.map_or_else(String::new, |(certificate, key)| {
                format!(", tls: {{certificate: {}, key: {}}}", certificate.display(), key.display())
            });
            let config = format!(
                "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\nhttp: {{addr: \"{address}\"{tls}}}\n",
                directory.join("data").display()
            );
            let file = directory.join("config.yml");
            fs::write(&file, config).unwrap();
            let mut child = Command::new(program)
                .arg("serve")
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .env("OTEL_TRACES_EXPORTER", "none")
                .spawn()
                .unwrap();
            for _ in 0..100 {
                if answers(address, tls.is_empty()) {
                    return Self { child, address };
                }
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                thread::sleep(Duration::from_millis(100));
            }
            let _ = child.kill();
            child.wait().unwrap();
        }
        panic!("{} does not answer", program.display());
    }
}

fn answers(address: SocketAddr, plain: bool) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    if !plain {
        return true;
    }
    let mut answer = String::new();
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

impl Serving for DockerRegistry {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
